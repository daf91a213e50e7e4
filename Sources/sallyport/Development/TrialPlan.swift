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

    /// The issuer of the trial's tokens.
    var issuer: String { "https://broker.\(trustDomain)" }

    /// The public origin of the gateway; the port is the one it listens on.
    var origin: String {
        guard case .ip(_, let port) = listen, port != 443 else { return "https://localhost" }
        return "https://localhost:\(port)"
    }

    /// The text of `sallyport.yaml`; it names only files beside it.
    var configuration: String {
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

        issuers:
          - issuer: \(issuer)
            profile: oauth                             # RFC 9068
            audiences: ["\(origin)"]
            jwks_file: broker.jwks.json
            algorithms: [ES256]
            clock_leeway: 30s
            maximum_token_lifetime: 1h

        upstreams:
          - name: orders
            targets: ["\(upstream)"]

        routes:                                        # first match wins; no match is answered with 404
          - name: read-order
            match: { methods: [GET, HEAD], path: "/orders/{order_id}" }
            require:
              issuers: ["\(issuer)"]
              possession: [certificate]                # the token must be bound to the caller's certificate
              scope: "read:orders:{order_id}"          # filled from the path
            upstream: orders
          - name: write-order
            match: { methods: [POST], path: "/orders/{order_id}" }
            require:
              issuers: ["\(issuer)"]
              possession: [certificate]
              scope: "write:orders:{order_id}"
            upstream: orders

        audit:
          directory: audit                             # verify it: sallyport audit verify audit
          durability: batched
          when_full: deny

        observability:
          address: "\(observability)"                  # /healthz and /readyz

        """
    }
}
