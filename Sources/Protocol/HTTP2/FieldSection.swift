import Bytes
import HTTP

/// The measure of one field block while its lines come, and the first thing that is wrong with it.
struct FieldSection {
    private let limits: HeadLimits
    /// What the lines so far count (RFC 9113 §6.5.2), in bytes.
    private(set) var bytes = 0
    private var lines = 0
    private(set) var fault: MessageFault?

    init(limits: HeadLimits) {
        self.limits = limits
    }

    /// Begins another block.
    mutating func begin() {
        bytes = 0
        lines = 0
        fault = nil
    }

    /// Whether the block is so far over the limit that reading it to its end is not worth an answer.
    ///
    /// A few compressed bytes can stand for thousands (RFC 7541 §7.3).
    var isHopeless: Bool { bytes / 4 > limits.bytes }

    /// Measures a line; false where it is not to be stored.
    mutating func admits(name: Span<UInt8>, value: Span<UInt8>) -> Bool {
        measure(name: name, valueCount: value.count)
        guard fault == nil else { return false }
        guard bytes <= limits.bytes else {
            fault = name.equals(":path") && value.count > limits.bytes ? .targetTooLong : .fieldsTooLarge
            return false
        }
        return true
    }

    /// Measures a line that is malformed and was left out.
    mutating func measure(name: Span<UInt8>, valueCount: Int) {
        bytes += name.count + valueCount + 32
    }

    /// Counts a line that is no pseudo-field; false where there are too many.
    mutating func countsLine() -> Bool {
        lines += 1
        guard lines <= limits.count else {
            fail(.tooManyFields)
            return false
        }
        return true
    }

    /// Takes note of a fault; the first one wins.
    mutating func fail(_ fault: MessageFault) {
        if self.fault == nil { self.fault = fault }
    }

    /// What a malformed line is called.
    static func fault(ofMalformed name: Span<UInt8>, nameIsValid: Bool) -> MessageFault {
        !nameIsValid ? .fieldName : name.equals("host") ? .host : .fieldValue
    }

    /// The value of `1*DIGIT` and nothing else (RFC 9110 §8.6), in 63 bits.
    static func decimal(_ digits: Span<UInt8>) -> UInt64? {
        guard !digits.isEmpty else { return nil }
        var number: UInt64 = 0
        for index in digits.indices {
            guard digits[index] >= UInt8(ascii: "0"), digits[index] <= UInt8(ascii: "9") else { return nil }
            let (tenfold, overflow) = number.multipliedReportingOverflow(by: 10)
            let (sum, carry) = tenfold.addingReportingOverflow(UInt64(digits[index] - UInt8(ascii: "0")))
            guard !overflow, !carry, sum <= UInt64(Int64.max) else { return nil }
            number = sum
        }
        return number
    }
}
