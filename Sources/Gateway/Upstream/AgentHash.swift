/// The place of an agent on the ring of an upstream's endpoints.
///
/// FNV-1a with a finaliser that spreads it over all bits. It has no secret, so that all workers and all gateways send an agent
/// to the same endpoint; who could choose names at will could crowd one endpoint, but names are given by issuers.
public enum AgentHash {
    /// The place of the agent of that name: its SPIFFE ID, or the token's subject.
    public static func of(_ name: Span<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for index in name.indices { hash = (hash ^ UInt64(name[index])) &* 0x100_0000_01B3 }
        return mix(hash)
    }

    /// The finaliser of SplitMix64: each bit of the input changes each bit of the output in half of all cases.
    static func mix(_ value: UInt64) -> UInt64 {
        var mixed = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
