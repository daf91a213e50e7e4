import HTTP

/// Which `content-length` an answer bears (RFC 9110 §8.6).
enum AnswerLength: Equatable {
    /// None: the end of the stream is the end of the content.
    case absent
    /// The one that came with the head: it says what another method or an earlier answer would have brought.
    case asGiven
    /// That many bytes follow.
    case exactly(UInt64)

    /// Chooses for an answer with that status and framing; `toTunnel`: it answers an extended CONNECT.
    init(status: UInt16, framing: BodyFraming, toHead: Bool, toTunnel: Bool) {
        self =
            switch (status, framing) {
            case (..<200, _), (204, _): .absent
            case (200..<300, _) where toTunnel: .absent
            case (_, .length(let count)): .exactly(count)
            case (304, _): .asGiven
            case _ where toHead: .asGiven
            case (_, .none): .exactly(0)
            case (_, .streamed), (_, .untilClose): .absent
            }
    }
}
