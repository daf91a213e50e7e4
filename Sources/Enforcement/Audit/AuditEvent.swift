/// What a record of the audit log tells of: its member `event`.
public enum AuditEvent: String, CaseIterable, Sendable {
    /// The gateway began to listen.
    case gatewayStarted = "gateway.started"
    /// The gateway has drained and ends.
    case gatewayStopped = "gateway.stopped"
    /// A configuration was read and is now in force.
    case configLoaded = "config.loaded"
    /// A connection was turned away before any request of it was read.
    case connectionRefused = "connection.refused"
    /// A request may pass; written before the upstream sees it.
    case requestAllowed = "request.allowed"
    /// A request was refused.
    case requestDenied = "request.denied"
    /// An allowed request is over, well or not.
    case requestCompleted = "request.completed"
    /// A credential was revoked.
    case credentialRevoked = "credential.revoked"
    /// A revocation was taken back.
    case credentialUnrevoked = "credential.unrevoked"
    /// An issuer's keys have changed.
    case keysRotated = "keys.rotated"
    /// Something happened that an operator should look at.
    case alertRaised = "alert.raised"
}
