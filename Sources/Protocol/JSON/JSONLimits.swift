/// How much a JSON text may ask of its reader.
public struct JSONLimits: Equatable, Sendable {
    /// The most bytes in the text; under 2 GiB.
    public var bytes: Int
    /// How deep arrays and objects may lie in one another: 1 allows `[]`, 0 only scalars.
    public var depth: Int
    /// The most members in one object; names are compared pairwise, so it bounds the work per member.
    public var members: Int

    /// What suits tokens, proofs, key sets and records: 1 MiB, 16 deep, 256 members an object.
    public static let standard = JSONLimits(bytes: 1 << 20, depth: 16, members: 256)

    /// Makes limits.
    public init(bytes: Int, depth: Int, members: Int) {
        self.bytes = min(bytes, Int(Int32.max))
        self.depth = depth
        self.members = members
    }
}
