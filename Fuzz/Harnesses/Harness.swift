import JSON

/// A parser under test, with what must hold of it whatever bytes it is fed.
///
/// It keeps what is costly to make, such as keys, from one input to the next; nothing else, so that an input means the same
/// alone as after others.
public protocol Harness: AnyObject {
    /// Feeds one input.
    ///
    /// - Returns: whether the parser accepted it.
    /// - Throws: the property that does not hold.
    func accepts(_ input: Span<UInt8>) throws(Violation) -> Bool

    /// Makes another input of one, or nothing where libFuzzer may change its bytes as it likes.
    ///
    /// A harness has it that wants its inputs changed inside an encoding or below a signature.
    func mutated(_ input: [UInt8], by mutation: Mutation) -> [UInt8]?
}

extension Harness {
    /// Leaves it to libFuzzer.
    public func mutated(_ input: [UInt8], by mutation: Mutation) -> [UInt8]? { nil }

    /// Throws unless something holds.
    func demand(_ holds: Bool, _ property: String) throws(Violation) {
        guard holds else { throw Violation(property: property) }
    }

    /// The value that must be there.
    func demand<Value>(_ value: Value?, _ property: String) throws(Violation) -> Value {
        guard let value else { throw Violation(property: property) }
        return value
    }

    /// The document that the text must be.
    func parsed(_ json: Span<UInt8>, _ property: String) throws(Violation) -> JSONDocument {
        do throws(JSONError) {
            return try JSONDocument(json)
        } catch {
            throw Violation(property: "\(property) (\(error))")
        }
    }
}

/// A change that a fuzzer asks for.
public struct Mutation {
    /// A random number that says which change.
    public let seed: UInt32
    /// Changes some bytes in the fuzzer's own way.
    public let bytes: ([UInt8]) -> [UInt8]

    /// Makes a change.
    public init(seed: UInt32, bytes: @escaping ([UInt8]) -> [UInt8]) {
        self.seed = seed
        self.bytes = bytes
    }
}

/// A property that an input breaks.
public struct Violation: Error, Equatable, CustomStringConvertible {
    /// What should hold, as a sentence.
    public let property: String

    /// One line for a person.
    public var description: String { "this does not hold: \(property)" }
}
