import Configuration

/// What a trial set-up is to look like.
struct TrialPlan {
    /// Where the gateway listens.
    var listen = ListenAddress.ip(host: "127.0.0.1", port: 8443)
    /// The service behind it.
    var upstream = UpstreamTarget.tcp(host: "127.0.0.1", port: 9000)
    /// Where health is served.
    var observability = ListenAddress.ip(host: "127.0.0.1", port: 9464)
    /// The trust domain of the agents.
    var trustDomain = "example.test"

    /// The directory of the admin socket, beside `sallyport.yaml`.
    static let socketDirectory = "run"
    /// The directory of what must outlast a restart, beside `sallyport.yaml`.
    static let stateDirectory = "state"
    /// The path of the admin socket, beside `sallyport.yaml`.
    static let socketFile = "\(socketDirectory)/admin.sock"

    /// The public origin of the gateway; the port is the one it listens on.
    var origin: String {
        guard case .ip(_, let port) = listen, port != 443 else { return "https://localhost" }
        return "https://localhost:\(port)"
    }

    /// The text of `sallyport.yaml`; it names only files beside it.
    var configuration: String {
        [gateway, issuers, possession, routes, revocation, operation].joined(separator: "\n")
    }

    private func name(of issuer: TrialIssuer) -> String { issuer.name(in: trustDomain) }

    private var gateway: String {
        """
        # A trial set-up, written by `sallyport dev init`. The keys beside it are for trials only.
        # Check it after a change: sallyport check --config sallyport.yaml
        # Durations are 250ms, 30s, 5m, 1h; sizes 8KiB, 1MiB; relative paths start beside this file.

        listeners:
          - name: agents
            address: "\(listen)"
            origins: ["\(origin)"]        # what clients call it; requests for other authorities get 421
            protocols: [h2, http/1.1]
            tls:
              certificates:
                - { certificate_file: server.pem, private_key_file: server.key }
              minimum_version: "1.3"
            clients:
              certificate: required                    # no handshake without a client certificate
              identity: spiffe                         # which must be an X509-SVID ...
              trust_domains:
                - { name: \(trustDomain), bundle_file: agents-ca.pem }   # ... of this trust domain

        """
    }

    private var issuers: String {
        """
        issuers:
          - issuer: \(name(of: .broker))
            profile: oauth                             # access tokens, RFC 9068
            audiences: ["\(origin)"]
            jwks_file: \(TrialIssuer.broker.keySetFile)
            algorithms: [ES256]
            clock_leeway: 30s
            maximum_token_lifetime: 1h
          - issuer: \(name(of: .workloads))
            profile: wimse                             # Workload Identity Tokens: they say who a workload is, and hold no grants
            jwks_file: \(TrialIssuer.workloads.keySetFile)
            algorithms: [ES256]
            clock_leeway: 30s
            maximum_token_lifetime: 1h
          - issuer: \(name(of: .agentwrit))
            profile: agentwrit                         # an AgentWrit broker's tokens: EdDSA, not bound to a key
            audiences: ["\(origin)"]
            jwks_file: \(TrialIssuer.agentwrit.keySetFile)
            algorithms: [EdDSA]
            clock_leeway: 0s
            maximum_token_lifetime: 1h

        """
    }

    private var possession: String {
        """
        possession:                                    # what proofs must be like; nonce: off or required
          dpop: { nonce: "off", accept_window: 60s, future_skew: 10s, algorithms: [ES256, Ed25519, EdDSA, PS256, RS256] }
          replay: { capacity: 1000000, store: memory } # each proof serves once

        """
    }

    private var routes: String {
        """
        upstreams:
          - name: orders
            targets: ["\(upstream)"]

        routes:                                        # first match wins; no match is answered with 404
          - name: read-order
            match: { methods: [GET, HEAD], path: "/orders/{order_id}" }
            require:
              issuers: ["\(name(of: .broker))"]
              possession: [certificate, dpop]          # the token is bound to the certificate, or to the key of a DPoP proof
              scope: "read:orders:{order_id}"          # filled from the path
            upstream: orders
          - name: write-order
            match: { methods: [POST], path: "/orders/{order_id}" }
            require:
              issuers: ["\(name(of: .broker))"]
              possession: [certificate, dpop]
              scope: "write:orders:{order_id}"
            upstream: orders
          - name: read-report
            match: { methods: [GET, HEAD], path: "/reports/{name}" }
            require:
              issuers: ["\(name(of: .broker))"]
              possession: [dpop]                       # nothing less than a DPoP proof (RFC 9449)
              scope: "read:reports:{name}"
            upstream: orders
          - name: use-model
            match: { methods: [GET, POST], path: "/models/{name}" }
            require:
              issuers: ["\(name(of: .broker))"]
              possession: [certificate, dpop]
              scope: "use:models:{name}"
              sponsor: true                            # a human must answer for the agent
              claims:                                  # composite identity: what the broker says of the agent's making
                model: [m-1, m-2]                      # one of these
                config_digest: { prefix: "sha256:" }   # whatever begins so
            upstream: orders
          - name: workload
            match: { path: "/workloads/{rest...}" }
            require:
              issuers: ["\(name(of: .workloads))"]
              possession: [wpt]                        # a Workload Identity Token with a Workload Proof Token
            upstream: orders
          - name: read-task
            match: { methods: [GET, HEAD], path: "/tasks/{task_id}" }
            require:
              issuers: ["\(name(of: .agentwrit))"]
              possession: [svid]                       # the token's subject is the SPIFFE ID of the certificate
              scope: "read:tasks:{task_id}"
              delegation: { maximum_depth: 5 }         # through how many agents a token may have come to its own
            upstream: orders

        """
    }

    private var revocation: String {
        """
        revocation:
          store: { path: \(Self.stateDirectory)/revocations.db }      # what was revoked, and stays so over restarts

        admin:                                         # sallyport revoke and sallyport status come in here
          address: "unix:\(Self.socketFile)"
          mode: "0600"                                 # for this user alone

        """
    }

    private var operation: String {
        """
        audit:
          directory: audit                             # verify it: sallyport audit verify audit
          durability: batched
          when_full: deny

        observability:
          address: "\(observability)"                  # /healthz and /readyz

        """
    }
}
