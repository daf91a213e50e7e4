import Bytes
import Configuration
import HTTP
import Policy
import Possession

/// The credentials of a request as they lie in its head, nothing of them verified: an access token, a workload token, or both.
struct PresentedCredentials {
    /// The access token, if there is one.
    let access: Credentials?
    /// The index of the `Delegation-Chain` line, if there is one: what the access token was made out of.
    let chain: Int?
    /// The workload token and its proof, where the route takes them and there are any.
    let workload: WorkloadCredentials?

    /// Finds them.
    ///
    /// - Throws: also where there are none at all.
    static func locate(
        in exchange: borrowing Exchange, for route: Route, under snapshot: EnforcementSnapshot
    ) throws(Denial) -> PresentedCredentials {
        if let line = exchange.request.fields.firstIndex(of: .dpop) {
            try checkProofSize(exchange.request.fields[line], snapshot)
        }
        let access = try Credentials.locate(
            in: exchange.request, target: exchange.target, limit: snapshot.limits.tokenBytes)
        // Where no route asks for them they are fields like others, and removed like others.
        let workload = route.accepted.contains(.wpt) ? try WorkloadCredentials.locate(in: exchange.request) : nil
        if let workload {
            guard exchange.request.fields.value(workload.token).count <= snapshot.limits.tokenBytes else {
                throw Denial(.tooLarge, "limit.token-bytes", status: 431)
            }
            try checkProofSize(exchange.request.fields[workload.proof], snapshot)
        }
        guard access != nil || workload != nil else { throw Denial(.credentialsMissing, "credentials.missing") }
        let chain = try locateChain(in: exchange.request, snapshot)
        guard chain == nil || access != nil else { throw Denial(.invalidRequest, "token.chain-unexpected") }
        return PresentedCredentials(access: access, chain: chain, workload: workload)
    }

    /// Finds the chain, and measures it and its tokens before anything looks into them.
    private static func locateChain(
        in request: borrowing RequestHead, _ snapshot: EnforcementSnapshot
    ) throws(Denial) -> Int? {
        guard let line = request.fields.firstIndex(of: .delegationChain) else { return nil }
        guard request.fields.lineCount(of: .delegationChain) == 1 else {
            throw Denial(.invalidRequest, "credentials.two-chain-fields")
        }
        let chain = request.fields.value(line)
        // It says nothing, and might have said something.
        guard !chain.isEmpty else { throw Denial(.invalidRequest, "credentials.empty-chain") }
        guard chain.count <= snapshot.limits.chainBytes else {
            throw Denial(.tooLarge, "limit.chain-bytes", status: 431)
        }
        var elements = ListElements()
        while let element = elements.next(in: chain) {
            guard element.count <= snapshot.limits.tokenBytes else {
                throw Denial(.tooLarge, "limit.token-bytes", status: 431)
            }
        }
        return line
    }

    /// A proof beyond the limit is refused by its size, before anything looks into it.
    private static func checkProofSize(_ field: FieldTable.Field, _ snapshot: EnforcementSnapshot) throws(Denial) {
        guard field.value.count <= snapshot.limits.proofBytes else {
            throw Denial(.tooLarge, "limit.proof-bytes", status: 431)
        }
    }
}

/// Where the Workload Identity Token of a request and its proof lie (draft-ietf-wimse-wpt §3): in one field each.
struct WorkloadCredentials {
    /// The index of the `Workload-Identity-Token` line.
    let token: Int
    /// The index of the `Workload-Proof-Token` line.
    let proof: Int

    /// Finds them, or nothing where there is neither.
    static func locate(in request: borrowing RequestHead) throws(Denial) -> WorkloadCredentials? {
        let tokens = request.fields.lineCount(of: .workloadIdentityToken)
        let proofs = request.fields.lineCount(of: .workloadProofToken)
        guard tokens > 0 || proofs > 0 else { return nil }
        guard tokens < 2, proofs < 2 else { throw Denial(.invalidWorkloadToken, "wpt.two-fields") }
        guard let token = request.fields.firstIndex(of: .workloadIdentityToken) else {
            throw Denial(.invalidWorkloadToken, "wpt.token-missing")
        }
        guard let proof = request.fields.firstIndex(of: .workloadProofToken) else {
            throw Denial(.invalidWorkloadToken, "wpt.missing")
        }
        return WorkloadCredentials(token: token, proof: proof)
    }
}
