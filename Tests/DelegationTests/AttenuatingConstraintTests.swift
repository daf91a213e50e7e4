import Delegation
import Testing

@Suite("An argument's constraint")
struct AttenuatingConstraintTests {
    // MARK: What satisfies it

    @Test(
        "A value that satisfies its constraint is accepted, and one that differs in one thing is not",
        arguments: [
            (#"{"constraint_type":"exact","value":"a"}"#, #""a""#, #""b""#),
            (#"{"constraint_type":"exact","value":1}"#, "1.0", #""1""#),
            (#"{"constraint_type":"exact","value":null}"#, "null", "false"),
            (#"{"constraint_type":"range","min":1,"max":3}"#, "1", "0.5"),
            (#"{"constraint_type":"range","min":1,"max":3}"#, "3", "3.5"),
            (#"{"constraint_type":"range","min":1,"min_inclusive":false}"#, "1.5", "1"),
            (#"{"constraint_type":"range","max":3,"max_inclusive":false}"#, "2.5", "3"),
            (#"{"constraint_type":"range","max":3}"#, "-7", #""2""#), (#"{"constraint_type":"range"}"#, "7", "null"),
            (#"{"constraint_type":"one_of","values":["a",1]}"#, "1", #""1""#),
            (#"{"constraint_type":"one_of","values":[["a"]]}"#, #"["a"]"#, #""a""#),
            (#"{"constraint_type":"not_one_of","excluded":["a"]}"#, #""b""#, #""a""#),
            (#"{"constraint_type":"contains","required":["a","b"]}"#, #"["b","c","a"]"#, #"["b","c"]"#),
            (#"{"constraint_type":"contains","required":[]}"#, "[]", #""a""#),
            (#"{"constraint_type":"subset","allowed":["a","b"]}"#, #"["b","b"]"#, #"["b","c"]"#),
            (#"{"constraint_type":"subset","allowed":["a"]}"#, "[]", #""a""#),
            (
                #"{"constraint_type":"all","constraints":[{"constraint_type":"range","min":1},{"constraint_type":"range","max":3}]}"#,
                "2", "4"
            ),
            (
                #"{"constraint_type":"any","constraints":[{"constraint_type":"exact","value":"a"},{"constraint_type":"range","max":3}]}"#,
                #""a""#, "4"
            ),
        ])
    func accepts(json: String, good: String, bad: String) throws {
        let constraint = try constraint(json)
        #expect(constraint.accepts(try value(good)))
        #expect(!constraint.accepts(try value(bad)))
    }

    @Test("Anything satisfies a wildcard", arguments: ["null", "1", #""a""#, "[]", "{}"])
    func wildcard(json: String) throws {
        #expect(try constraint(#"{"constraint_type":"wildcard"}"#).accepts(value(json)))
    }

    @Test(
        "Only what restricts nothing accepts all values at once",
        arguments: [
            (#"{"constraint_type":"wildcard"}"#, true), (#"{"constraint_type":"not_one_of","excluded":[]}"#, true),
            (#"{"constraint_type":"all","constraints":[{"constraint_type":"wildcard"}]}"#, true),
            (
                #"{"constraint_type":"any","constraints":[{"constraint_type":"exact","value":1},{"constraint_type":"wildcard"}]}"#,
                true
            ),
            (#"{"constraint_type":"exact","value":"*"}"#, false),
            (#"{"constraint_type":"not_one_of","excluded":["a"]}"#, false),
            (#"{"constraint_type":"range"}"#, false), (#"{"constraint_type":"subset","allowed":["*"]}"#, false),
            (
                #"{"constraint_type":"all","constraints":[{"constraint_type":"exact","value":1},{"constraint_type":"wildcard"}]}"#,
                false
            ),
        ])
    func everything(json: String, accepts: Bool) throws {
        #expect(try constraint(json).acceptsEverything == accepts)
    }

    // MARK: Whether another is as narrow

    /// Of each type two, the second as narrow as the first.
    private static let samples: [(type: String, wide: String, narrow: String)] = [
        ("exact", #"{"constraint_type":"exact","value":2}"#, #"{"constraint_type":"exact","value":2.0}"#),
        ("range", #"{"constraint_type":"range","min":1,"max":3}"#, #"{"constraint_type":"range","min":2,"max":3}"#),
        (
            "one_of", #"{"constraint_type":"one_of","values":[1,2,3]}"#,
            #"{"constraint_type":"one_of","values":[2,1]}"#
        ),
        (
            "not_one_of", #"{"constraint_type":"not_one_of","excluded":[7]}"#,
            #"{"constraint_type":"not_one_of","excluded":[7,8]}"#
        ),
        (
            "contains", #"{"constraint_type":"contains","required":[1]}"#,
            #"{"constraint_type":"contains","required":[1,2]}"#
        ),
        (
            "subset", #"{"constraint_type":"subset","allowed":[1,2]}"#,
            #"{"constraint_type":"subset","allowed":[1]}"#
        ),
        (
            "all", #"{"constraint_type":"all","constraints":[{"constraint_type":"range","min":1}]}"#,
            #"{"constraint_type":"all","constraints":[{"constraint_type":"exact","value":2}]}"#
        ),
        (
            "any",
            #"{"constraint_type":"any","constraints":[{"constraint_type":"range","min":1},{"constraint_type":"exact","value":"a"}]}"#,
            #"{"constraint_type":"any","constraints":[{"constraint_type":"exact","value":2}]}"#
        ),
        ("wildcard", #"{"constraint_type":"wildcard"}"#, #"{"constraint_type":"wildcard"}"#),
    ]

    @Test("Of all pairs of types only those of the draft can be narrower")
    func pairs() throws {
        let across = ["range>exact", "one_of>exact"]
        for parent in Self.samples {
            for child in Self.samples {
                let isPair =
                    parent.type == child.type || parent.type == "wildcard"
                    || across.contains("\(parent.type)>\(child.type)")
                let subsumes = try constraint(parent.wide).subsumes(constraint(child.narrow))
                #expect(subsumes == isPair, "\(parent.type) over \(child.type)")
            }
        }
    }

    @Test("Of two of a type the wider is not within the narrower, and each is within itself")
    func order() throws {
        for sample in Self.samples {
            let (wide, narrow) = (try constraint(sample.wide), try constraint(sample.narrow))
            #expect(wide.subsumes(wide) && narrow.subsumes(narrow), "\(sample.type)")
            if wide != narrow { #expect(!narrow.subsumes(wide), "\(sample.type)") }
        }
    }

    @Test(
        "Bounds may only become tighter, each for itself",
        arguments: [
            (#""min":1"#, #""min":1,"min_inclusive":false"#, true),
            (#""min":1,"min_inclusive":false"#, #""min":1"#, false),
            (#""min":1,"min_inclusive":false"#, #""min":1.5"#, true), (#""min":1"#, #""max":1"#, false),
            (#""max":9"#, #""max":9,"max_inclusive":false"#, true),
            (#""max":9,"max_inclusive":false"#, #""max":9"#, false),
            (#""max":9"#, #""min":1,"max":8"#, true), (#""min":1,"max":9"#, #""min":2"#, false),
            (#""min":1"#, #""min":0"#, false), (#""max":9"#, #""max":10"#, false),
        ])
    func bounds(parent: String, child: String, isNarrower: Bool) throws {
        let parent = try constraint(#"{"constraint_type":"range",\#(parent)}"#)
        let child = try constraint(#"{"constraint_type":"range",\#(child)}"#)
        #expect(parent.subsumes(child) == isNarrower)
    }

    @Test(
        "Clauses are matched as the draft says",
        arguments: [
            // A child's clause may serve several of its parent's.
            ("all", ["wildcard", "wildcard"], ["exact2"], true), ("all", ["min1", "max3"], ["exact2"], true),
            ("all", ["min1"], ["min1", "max3"], true), ("all", ["min1", "max3"], ["min1"], false),
            ("any", ["min1", "exact2"], ["exact2"], true), ("any", ["exact2"], ["exact2", "min1"], false),
            ("any", ["min1"], ["exact2", "min1"], true), ("any", ["min1"], ["wildcard"], false),
        ])
    func clauses(type: String, parent: [String], child: [String], isNarrower: Bool) throws {
        let clauses = [
            "wildcard": #"{"constraint_type":"wildcard"}"#, "exact2": #"{"constraint_type":"exact","value":2}"#,
            "min1": #"{"constraint_type":"range","min":1}"#, "max3": #"{"constraint_type":"range","max":3}"#,
        ]
        func composite(_ names: [String]) throws -> AttenuatingConstraint {
            let list = names.compactMap { clauses[$0] }.joined(separator: ",")
            return try constraint(#"{"constraint_type":"\#(type)","constraints":[\#(list)]}"#)
        }
        #expect(try composite(parent).subsumes(composite(child)) == isNarrower)
    }

    @Test("A child that swaps a set for a single value that is not in it is refused")
    func singleValues() throws {
        let values = try constraint(#"{"constraint_type":"one_of","values":["a","b"]}"#)
        #expect(values.subsumes(try constraint(#"{"constraint_type":"exact","value":"b"}"#)))
        #expect(!values.subsumes(try constraint(#"{"constraint_type":"exact","value":"c"}"#)))
        let range = try constraint(#"{"constraint_type":"range","max":3}"#)
        #expect(range.subsumes(try constraint(#"{"constraint_type":"exact","value":3}"#)))
        #expect(!range.subsumes(try constraint(#"{"constraint_type":"exact","value":4}"#)))
        #expect(!range.subsumes(try constraint(#"{"constraint_type":"exact","value":"3"}"#)))
    }

    // MARK: How it is written

    @Test(
        "What is not written as its type demands is refused",
        arguments: [
            #""exact""#, "{}", #"{"constraint_type":1}"#, #"{"constraint_type":"exact"}"#,
            #"{"constraint_type":"exact","value":[]}"#, #"{"constraint_type":"exact","value":{}}"#,
            #"{"constraint_type":"exact","value":1,"note":"x"}"#, #"{"constraint_type":"exact","values":1}"#,
            #"{"constraint_type":"wildcard","value":1}"#, #"{"constraint_type":"one_of","values":[]}"#,
            #"{"constraint_type":"one_of","values":"a"}"#, #"{"constraint_type":"not_one_of","excluded":"a"}"#,
            #"{"constraint_type":"contains","required":{}}"#, #"{"constraint_type":"subset","allowed":1}"#,
            #"{"constraint_type":"all","constraints":[]}"#, #"{"constraint_type":"any","constraints":[]}"#,
            #"{"constraint_type":"any","constraints":{}}"#, #"{"constraint_type":"all","constraints":["wildcard"]}"#,
            #"{"constraint_type":"range","min":"1"}"#, #"{"constraint_type":"range","min":2,"max":1}"#,
            #"{"constraint_type":"range","min_inclusive":true}"#,
            #"{"constraint_type":"range","min":1,"min_inclusive":1}"#,
            #"{"constraint_type":"range","min":1,"step":1}"#, #"{"constraint_type":"wildcard","optional":"true"}"#,
            #"{"constraint_type":"all","constraints":[{"constraint_type":"wildcard","optional":true}]}"#,
        ])
    func malformed(json: String) {
        #expect(throws: AttenuatingFault.constraint) { try constraint(json) }
    }

    @Test("A type that we do not know is refused, also deep inside another")
    func unknownType() {
        #expect(throws: AttenuatingFault.constraintType) {
            try constraint(#"{"constraint_type":"regex","pattern":""}"#)
        }
        #expect(throws: AttenuatingFault.constraintType) {
            try constraint(#"{"constraint_type":"any","constraints":[{"constraint_type":"cel"}]}"#)
        }
    }

    @Test("A number that a double cannot hold is refused in every place", arguments: ["exact", "values", "range"])
    func precision(place: String) {
        let number = "9007199254740993"
        let json =
            switch place {
            case "exact": #"{"constraint_type":"exact","value":\#(number)}"#
            case "values": #"{"constraint_type":"one_of","values":[\#(number)]}"#
            default: #"{"constraint_type":"range","max":\#(number)}"#
            }
        #expect(throws: AttenuatingFault.precision) { try constraint(json) }
    }

    private static func nested(_ depth: Int) -> String {
        String(repeating: #"{"constraint_type":"all","constraints":["#, count: depth - 1)
            + #"{"constraint_type":"one_of","values":[[1]]}"# + String(repeating: "]}", count: depth - 1)
    }

    @Test("Constraints may lie 32 deep in one another and no deeper")
    func depth() throws {
        #expect(throws: Never.self) { try constraint(Self.nested(32)) }
        #expect(throws: AttenuatingFault.depth) { try constraint(Self.nested(33)) }
    }
}
