import Testing

@testable import Compression

@Suite("Why data cannot be expanded")
struct CompressionErrorTests {
    @Test("Damage and excess are told apart")
    func differ() {
        #expect(CompressionError.malformed != CompressionError.tooLarge)
    }
}
