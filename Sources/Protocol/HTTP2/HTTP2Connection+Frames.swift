import Bytes
import HTTP

/// What frames do to streams: the library calls these from inside ``receive(_:now:)`` and ``send(into:upTo:)``.
///
/// Those that return a Boolean say whether the connection goes on.
extension HTTP2Connection {
    // MARK: Streams

    /// The stream, where the driver may still act on it.
    final func slot(of stream: Int32) -> HTTP2Stream? {
        guard let slot = streams[stream], !slot.isForgotten, !slot.hasFailed else { return nil }
        return slot
    }

    /// Queues RST_STREAM, after which the stream can say nothing.
    final func close(_ slot: HTTP2Stream, _ code: HTTP2ErrorCode) {
        guard !slot.isClosing, !slot.isClosed else { return }
        slot.isClosing = true
        slot.ownCode = code
        session.reset(slot.id, code)
    }

    /// Tells the library of content that it was told there is none of.
    final func resume(_ slot: HTTP2Stream) {
        guard slot.isDeferred else { return }
        slot.isDeferred = false
        session.resume(slot.id)
    }

    /// Drops content that was not taken and gives its room in the connection's window to other streams.
    final func drop(_ slot: HTTP2Stream) {
        let count = slot.received.count
        guard count > 0 else { return }
        slot.received.removeAll()
        session.consume(count)
    }

    /// Takes no more of a message that is malformed or over a limit.
    final func refuse(_ slot: HTTP2Stream, _ fault: MessageFault) {
        guard !slot.isRefused, !slot.isForgotten else { return }
        slot.isRefused = true
        slot.isAnnounced = true
        drop(slot)
        tell(.refused(fault), of: slot)
    }

    // MARK: Frames that came

    final func fieldsBegan(_ frame: Frame) -> Bool {
        guards.blockHeeded()
        if let slot = streams[frame.stream], slot.headCame {
            assemblesTrailers = true
            trailers.begin()
            assembling = slot
        } else {
            assemblesTrailers = false
            assembling = headBegan(on: frame.stream)
        }
        return true
    }

    /// Takes a field line; false: the stream is lost, and the rest of its block is only decompressed.
    final func field(name: Span<UInt8>, value: Span<UInt8>) -> Bool {
        if assemblesTrailers {
            trailers.add(name: name, value: value)
            return !trailers.isHopeless || giveUpBlock()
        }
        return headField(name: name, value: value) || giveUpBlock()
    }

    /// Takes note of a malformed line; false as above.
    final func malformedField(name: Span<UInt8>, valueCount: Int, nameIsValid: Bool) -> Bool {
        if assemblesTrailers {
            trailers.addMalformed(name: name, valueCount: valueCount)
            return !trailers.isHopeless || giveUpBlock()
        }
        return malformedHeadField(name: name, valueCount: valueCount, nameIsValid: nameIsValid) || giveUpBlock()
    }

    private func giveUpBlock() -> Bool {
        guard let slot = assembling else { return false }
        assembling = nil
        slot.isClosing = true
        if guards.blockGivenUp() { session.reset(slot.id, .enhanceYourCalm) } else { fail(.abuse(.headerBomb)) }
        refuse(slot, assemblesTrailers ? trailers.fault ?? .trailer : headFault(isWhole: false, endsStream: false))
        return false
    }

    final func frameReceived(_ frame: Frame) -> Bool {
        switch frame.type {
        case .headers: blockEnded(frame)
        case .data:
            if frame.endsStream {
                incomingEnded(on: frame.stream)
            } else if frame.contentLength == 0 {
                return guards.emptyFrame()
            }
        case .rstStream:
            guard let slot = streams[frame.stream] else { break }
            slot.peerCode = frame.errorCode
            return guards.peerReset()
        case .goAway: peerLeaves()
        case .settings: isSettled = true
        default: break
        }
        return true
    }

    private func blockEnded(_ frame: Frame) {
        guard let slot = assembling else { return }
        assembling = nil
        guard assemblesTrailers else { return headEnded(slot, endsStream: frame.endsStream) }
        // RFC 9113 §8.5: a tunnel has content only.
        if slot.isTunnel { return close(slot, .protocolError) }
        if let fault = trailers.finish(endsStream: frame.endsStream) {
            slot.incomingEnded = frame.endsStream
            return refuse(slot, fault)
        }
        if slot.awaitsContent { trailers.take(into: &slot.trailers) }
        incomingEnded(on: frame.stream)
    }

    private func incomingEnded(on stream: Int32) {
        guard let slot = streams[stream] else { return }
        slot.incomingEnded = true
        if slot.awaitsContent, !slot.isRefused, !slot.isForgotten { tell(.endOfContent, of: slot) }
    }

    final func content(_ bytes: Span<UInt8>, on stream: Int32) -> Bool {
        guards.controlFrames.contentMoved(bytes.count)
        guard let slot = slot(of: stream), !slot.isRefused, !slot.isClosing else {
            session.consume(bytes.count, of: stream)
            return true
        }
        slot.receivedBytes += UInt64(bytes.count)
        if bodyLimit > 0, slot.receivedBytes > bodyLimit, !slot.isTunnel {
            session.consume(bytes.count, of: stream)
            refuse(slot, .contentTooLarge)
            return true
        }
        if slot.received.isEmpty { tell(.content, of: slot) }
        slot.received.append(bytes)
        return true
    }

    /// The library refuses a field block and resets its stream; `blockIsWhole`: for what the lines lack, not for one of them.
    final func frameRefused(_ frame: Frame, blockIsWhole: Bool) -> Bool {
        guard frame.type == .headers, let slot = assembling, slot.id == frame.stream else { return true }
        assembling = nil
        slot.isClosing = true
        refuse(slot, assemblesTrailers ? .trailer : headFault(isWhole: blockIsWhole, endsStream: frame.endsStream))
        return true
    }

    final func streamClosed(_ stream: Int32, code: UInt32) -> Bool {
        guard let slot = streams[stream] else { return true }
        if assembling === slot { assembling = nil }
        slot.isClosed = true
        closed(slot, code: code)
        return true
    }

    // MARK: Frames that go

    /// What a stream has to say.
    enum Content {
        case some(Int, isLast: Bool)
        case later
        case never
    }

    final func contentReady(on stream: Int32, upTo limit: Int) -> Content {
        guard let slot = streams[stream], !slot.isClosing else { return .never }
        let count = min(limit, slot.outgoing.count)
        let isLast = slot.outgoingEnded && count == slot.outgoing.count
        guard count > 0 || isLast else {
            slot.isDeferred = true
            return .later
        }
        return .some(count, isLast: isLast)
    }

    /// Queues what goes behind the last content of the stream; false where that is nothing, so that the content ends it.
    final func framesTrailers(on stream: Int32) -> Bool {
        guard let slot = streams[stream], slot.outgoingTrailers.count > 0 else { return false }
        return unsafe fieldLines.lend(slot.outgoingTrailers) { lines in
            unsafe !lines.isEmpty && session.submitTrailers(lines, on: stream)
        }
    }

    /// Writes a DATA frame; false: the output is full.
    final func writeContent(_ count: Int, of stream: Int32, after header: Span<UInt8>) -> Bool {
        sink.append(header)
        guard count > 0, let slot = streams[stream] else { return sink.count < sinkLimit }
        let wasHigh = slot.outgoing.count >= sendLowMark
        slot.outgoing.move(count, to: &sink)
        framedBytes &+= UInt64(count)
        if wasHigh, slot.outgoing.count < sendLowMark, !slot.outgoingEnded, !slot.isForgotten { tell(.room, of: slot) }
        if !guards.contentFramed(count, waiting: slot.outgoing.count), failure == nil { fail(.abuse(.dribble)) }
        return sink.count < sinkLimit
    }

    final func frameSent(_ frame: Frame) -> Bool {
        switch frame.type {
        case .headers, .data:
            guard let slot = streams[frame.stream] else { break }
            slot.headFramed = true
            guard frame.endsStream else { break }
            slot.outgoingFramed = true
            outgoingFramed(slot)
        case .rstStream: resetSent(frame)
        case .goAway: sentGoAway = HTTP2ErrorCode(rawValue: frame.errorCode)
        default: break
        }
        return true
    }

    private func resetSent(_ frame: Frame) {
        if let own = streams[frame.stream]?.ownCode, own.rawValue == frame.errorCode { return }
        guard !guards.provokedReset(), failure == nil else { return }
        fail(.abuse(.provokedResets))
    }

    final func frameNotSent(_ frame: Frame) -> Bool {
        if frame.type == .headers, let slot = streams[frame.stream] { notSent(frame, slot) }
        return true
    }
}
