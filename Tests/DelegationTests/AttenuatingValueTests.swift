import Delegation
import Testing

@Suite("A value that constraints compare")
struct AttenuatingValueTests {
    @Test(
        "Two spellings of one canonical value are equal",
        arguments: [
            ("1", "1.0"), ("100", "1e2"), ("0", "-0.0"), ("0.1", "1E-1"), (#""a""#, #""\u0061""#),
            (#"{"a":1,"b":[true]}"#, #"{"b":[true],"a":1.0}"#), ("1e20", "100000000000000000000"), ("[]", "[ ]"),
        ])
    func equal(one: String, other: String) throws {
        #expect(try value(one) == value(other))
    }

    @Test(
        "Values of other kinds, orders or spellings of a character are not",
        arguments: [
            ("1", #""1""#), ("0", "false"), ("null", "false"), ("[1,2]", "[2,1]"), ("[]", "{}"), ("1", "1.5"),
            (#""\u00e9""#, #""e\u0301""#), (#""a""#, #""A""#), (#"{"a":1}"#, #"{"a":1,"b":1}"#),
        ])
    func unequal(one: String, other: String) throws {
        #expect(try value(one) != value(other))
    }

    @Test(
        "A number that a double holds as written is read",
        arguments: [
            "0", "-1", "0.1", "1e20", "9007199254740992", "9007199254740994", "1e300", "5e-324", "12.50", "-0",
            "0.30000000000000004",
        ])
    func admissible(number: String) throws {
        #expect(throws: Never.self) { try value(number) }
    }

    @Test(
        "A number with digits that a double loses is refused, wherever it stands",
        arguments: [
            "9007199254740993", "1.00000000000000001", "1e400", "1e-400", "1e99999999999", "0.1000000000000000001",
            "[9007199254740993]", #"{"a":[0,9007199254740993]}"#,
        ])
    func inadmissible(number: String) {
        #expect(throws: AttenuatingFault.precision) { try value(number) }
    }
}
