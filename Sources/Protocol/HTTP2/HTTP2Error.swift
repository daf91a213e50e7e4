/// Why a connection cannot go on: send what is pending, which tells the peer, and close it.
public enum HTTP2Error: Error, Equatable, Sendable {
    /// The peer asks for more work than it is worth.
    case abuse(HTTP2Abuse)
    /// The peer's first bytes are not the preface of HTTP/2 (RFC 9113 §3.4).
    case badPreface
    /// The limits contradict each other.
    case invalidLimits
    /// There is no memory for the session.
    case outOfMemory
    /// The framing library failed with that code of its own.
    case library(Int32)
}

/// The ways of wearing a server down that are counted (RFC 9113 §10.5).
public enum HTTP2Abuse: String, Equatable, Sendable {
    /// Answers to PING and SETTINGS, or resets, pile up because the peer asks and does not read.
    case backlog = "abuse.backlog"
    /// A field block in too many frames.
    case continuations = "abuse.continuations"
    /// PING, SETTINGS, PRIORITY, WINDOW_UPDATE and unknown frames out of proportion to the content that moved.
    case controlFrames = "abuse.control-frames"
    /// Windows that are opened by a few bytes at a time (CVE-2019-9511).
    case dribble = "abuse.dribble"
    /// DATA frames that carry nothing.
    case emptyFrames = "abuse.empty-frames"
    /// Field blocks that are small to send and large to read.
    case headerBomb = "abuse.header-bomb"
    /// Stream errors that the peer made us answer with RST_STREAM (CVE-2025-8671).
    case provokedResets = "abuse.provoked-resets"
    /// Requests that the peer cancels as fast as it makes them (CVE-2023-44487).
    case rapidReset = "abuse.rapid-reset"
}
