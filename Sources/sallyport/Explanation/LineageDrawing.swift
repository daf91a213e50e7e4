import Delegation

/// A chain of delegation drawn for people: one line for each who held it, and where it breaks.
struct LineageDrawing {
    /// Somebody of a chain.
    struct Holder: Equatable {
        /// Who it is.
        let name: String
        /// What it may do; none where the chain does not say.
        let scopes: [String]
    }

    /// Those of the chain, the first first, and at the end who holds the token.
    let holders: [Holder]
    /// Why it does not hold, if it does not.
    let fault: LineageFault?
    /// Whether the token is known to be its issuer's: what another says is not to be believed.
    let isVerified: Bool

    /// The most scopes that are told of each.
    private static let scopeLimit = 16

    /// The lines; none where nobody passed anything on.
    var lines: [String] {
        guard holders.count > 1 || fault != nil else { return [] }
        var lines = [heading]
        for (index, holder) in holders.enumerated() {
            let branch = index == 0 ? "" : String(repeating: "   ", count: index - 1) + "+- "
            let mark = fault?.link == index ? "   <-- breaks here: \(fault?.reason ?? "")" : ""
            let role = index + 1 == holders.count ? ", holds the token" : ""
            lines.append("\(branch)\(holder.name) (\(Self.told(holder.scopes))\(role))\(mark)")
        }
        return lines
    }

    private var heading: String {
        let source = isVerified ? "the first who passed it on at the top" : "as the token says, which is not verified"
        guard let fault, !holders.indices.contains(fault.link ?? -1) else { return source }
        return "\(source); it does not hold as a whole: \(fault.reason)"
    }

    private static func told(_ scopes: [String]) -> String {
        guard !scopes.isEmpty else { return "no scope told" }
        return (scopes.prefix(scopeLimit) + (scopes.count > scopeLimit ? ["..."] : [])).joined(separator: " ")
    }
}
