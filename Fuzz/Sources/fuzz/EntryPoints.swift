import Bytes
import CLibFuzzer
import FuzzHarnesses
import Glibc

/// The harness of the target that SALLYPORT_FUZZ_TARGET names: not an argument, for libFuzzer starts copies of itself.
///
/// Set before libFuzzer starts, which calls the functions below one after the other on the same thread.
private nonisolated(unsafe) var harness: (any Harness)?

/// libFuzzer's own options and folders are the arguments.
@main
enum Fuzz {
    static func main() throws {
        let name = unsafe getenv("SALLYPORT_FUZZ_TARGET").map { unsafe String(cString: $0) } ?? ""
        guard let target = FuzzTarget(rawValue: name) else {
            fatalError("SALLYPORT_FUZZ_TARGET must be one of \(FuzzTarget.allCases.map(\.rawValue))")
        }
        unsafe harness = try target.makeHarness()
        var count = CommandLine.argc
        var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = unsafe CommandLine.unsafeArgv
        exit(unsafe LLVMFuzzerRunDriver(&count, &arguments, testOneInput))
    }
}

/// Feeds one input; a broken property ends the process, which is how libFuzzer learns of it.
@c(LLVMFuzzerTestOneInput)
public func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = unsafe Span(_unsafeElements: UnsafeBufferPointer(start: bytes, count: count))
    do throws(Violation) {
        _ = unsafe try harness?.accepts(input)
    } catch {
        fatalError(error.description)
    }
    return 0
}

/// Changes an input as its harness wants it, or else as libFuzzer would.
@c(LLVMFuzzerCustomMutator)
public func mutate(_ bytes: UnsafeMutablePointer<UInt8>?, _ count: Int, _ maximum: Int, _ seed: CUnsignedInt) -> Int {
    let block = unsafe UnsafeMutableBufferPointer(start: bytes, count: maximum)
    let mutation = Mutation(seed: seed, bytes: changed)
    let input = unsafe Array(block.prefix(count))
    if let output = unsafe harness?.mutated(input, by: mutation), output.count <= maximum {
        _ = unsafe block.update(fromContentsOf: output)
        return output.count
    }
    return unsafe LLVMFuzzerMutate(bytes, count, maximum)
}

/// Lets libFuzzer change some bytes, that may become twice as many and a few more.
private func changed(_ bytes: [UInt8]) -> [UInt8] {
    let maximum = bytes.count * 2 + 64
    var block = bytes + [UInt8](repeating: 0, count: maximum - bytes.count)
    let count = unsafe block.withUnsafeMutableBufferPointer { block in
        unsafe LLVMFuzzerMutate(block.baseAddress, bytes.count, maximum)
    }
    return Array(block.prefix(count))
}
