import Possession
import Testing

@Suite("Possession methods")
struct PossessionMethodsTests {
    @Test("A set of methods is one bit each")
    func sets() {
        #expect(PossessionMethods(Set(PossessionMethod.allCases)).methods == PossessionMethod.allCases)
        #expect(PossessionMethods([.certificate, .svid]).methods == [.certificate, .svid])
        #expect(PossessionMethods(Set<PossessionMethod>()).isEmpty)
        #expect(!PossessionMethods.certificate.isSuperset(of: .svid))
        let bits: [PossessionMethods] = [.certificate, .dpop, .wpt, .svid]
        #expect(Set(bits.map(\.rawValue)).count == 4)
    }

    @Test("The text of a set is its names in order, however it is made")
    func text() {
        for rawValue in UInt8(0)..<16 {
            let set = PossessionMethods(rawValue: rawValue)
            #expect("\(set.text)" == set.methods.map(\.rawValue).joined(separator: ","))
        }
        #expect("\(PossessionMethods([.svid, .certificate]).text)" == "certificate,svid")
    }
}
