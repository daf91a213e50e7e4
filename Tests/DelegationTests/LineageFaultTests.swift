import Delegation
import Testing

@Suite("What is wrong with a chain")
struct LineageFaultTests {
    @Test("Every kind has its own reason, stable and dotted, wherever it is")
    func reasons() {
        let reasons = LineageFault.Kind.allCases.map { LineageFault($0).reason }
        #expect(Set(reasons).count == reasons.count)
        #expect(reasons.allSatisfy { $0.hasPrefix("lineage.") })
        #expect(LineageFault(.outlivesParent, at: 3).reason == "lineage.outlives-parent")
        #expect(LineageFault(.scope) != LineageFault(.scope, at: 0))
    }
}
