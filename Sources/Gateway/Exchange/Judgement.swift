public import Policy

/// What the gatekeeper says of a request that it does not deny.
public enum Judgement: ~Copyable {
    /// It may go to the upstream of its route.
    case permitted(Permit)
    /// It cannot be said before the question is answered; then the request is judged again.
    case asks(Question)
    /// The gateway itself takes in what it brings: a security event.
    case receives(EventReception)
    /// The gateway itself has what is asked for.
    case serves(ServedDocument)
}

/// What a decision needs to know that only the control side can find out.
public enum Question: Equatable, Sendable {
    /// Are there newer keys of the issuer, among them one of that identifier?
    case keys(issuer: String, keyID: String?)
    /// What does the issuer say of the token (RFC 7662)?
    case introspection(issuer: String, token: [UInt8])
    /// What does the issuer's status list at that place say?
    case statusList(issuer: String, uri: String)
    /// What comes of a security event that was pushed?
    case event(feed: String, body: [UInt8], authorization: String?)
}
