import Testing

@testable import Configuration

@Suite("ConfigurationFault")
struct ConfigurationFaultTests {
    @Test("A fault reads as file, line, key path and sentence")
    func reads() {
        let fault = ConfigurationFault(
            file: "sallyport.yaml", line: 12, keyPath: "listeners[0].tls", message: "write it")
        #expect(fault.description == "sallyport.yaml:12: listeners[0].tls: write it")
    }

    @Test("A fault without line and key path reads as file and sentence")
    func readsWithoutPlace() {
        let fault = ConfigurationFault(
            file: "sallyport.yaml", line: nil, keyPath: "", message: "the file does not exist")
        #expect(fault.description == "sallyport.yaml: the file does not exist")
    }

    @Test("Faults come in the order of their lines, and in the order of discovery within a line")
    func order() {
        let faults = FaultCollector(file: "f")
        faults.refuse(line: 9, keyPath: "c", "late")
        faults.refuse(line: 2, keyPath: "a", "first of two")
        faults.refuse(line: 2, keyPath: "b", "second of two")
        faults.refuse(line: nil, keyPath: "SALLYPORT_WORKERS", "no line")
        #expect(faults.faults.map(\.keyPath) == ["SALLYPORT_WORKERS", "a", "b", "c"])
    }

    @Test("The error names the file even where nothing was found")
    func none() {
        #expect(ConfigurationFaults(FaultCollector(file: "f")).faults.map(\.file) == ["f"])
    }
}
