import Bytes
import HTTP

/// What frames do to streams: the library calls these from inside ``receive(_:now:)`` and ``send(into:upTo:)``.
///
/// Those that return a Boolean say whether the connection goes on.
extension HTTP2ServerConnection {
    // MARK: Streams

    /// The stream, where the driver may still act on it.
    func slot(of stream: Int32) -> HTTP2Stream? {
        guard let slot = openSlot(of: stream), !slot.isForgotten else { return nil }
        return slot
    }

    private func openSlot(of stream: Int32) -> HTTP2Stream? {
        guard let index = session.slot(of: stream) else { return nil }
        return streams[index]
    }

    /// Queues RST_STREAM, after which the stream can say nothing.
    func close(_ slot: HTTP2Stream, _ code: HTTP2ErrorCode) {
        guard !slot.isClosing else { return }
        slot.isClosing = true
        slot.ownCode = code
        session.reset(slot.id, code)
    }

    /// Tells the library of content that it was told there is none of.
    func resume(_ slot: HTTP2Stream) {
        guard slot.isDeferred else { return }
        slot.isDeferred = false
        session.resume(slot.id)
    }

    /// Drops content that was not taken and gives its room in the connection's window to other streams.
    func drop(_ slot: HTTP2Stream) {
        let count = slot.received.count
        guard count > 0 else { return }
        slot.received.removeAll()
        session.consume(count)
    }

    private func refuse(_ slot: HTTP2Stream, _ fault: MessageFault) {
        guard !slot.isRefused, !slot.isForgotten else { return }
        slot.isRefused = true
        slot.isAnnounced = true
        drop(slot)
        events.append(.refused(stream: slot.id, fault))
    }

    // MARK: Frames that came

    func frameBegan(_ type: FrameType?) -> Bool {
        guards.frameBegan(type)
    }

    func fieldsBegan(_ frame: Frame) -> Bool {
        guard frame.isRequest else {
            assembling = openSlot(of: frame.stream)
            assembler.beginTrailers()
            return true
        }
        let index = streams.claim(id: frame.stream)
        session.keep(slot: index, for: frame.stream)
        assembling = streams[index]
        assembler.beginRequest()
        return true
    }

    /// Takes a field line; false: the stream is lost, and the rest of its block is only decompressed.
    func field(name: Span<UInt8>, value: Span<UInt8>) -> Bool {
        assembler.add(name: name, value: value)
        return !assembler.isHopeless || giveUpBlock()
    }

    /// Takes note of a malformed line; false as above.
    func malformedField(name: Span<UInt8>, valueCount: Int, nameIsValid: Bool) -> Bool {
        assembler.addMalformed(name: name, valueCount: valueCount, nameIsValid: nameIsValid)
        return !assembler.isHopeless || giveUpBlock()
    }

    private func giveUpBlock() -> Bool {
        guard let slot = assembling else { return false }
        assembling = nil
        slot.isClosing = true
        session.reset(slot.id, .enhanceYourCalm)
        refuse(slot, assembler.fault ?? .fieldsTooLarge)
        return false
    }

    func frameReceived(_ frame: Frame) -> Bool {
        switch frame.type {
        case .headers: fieldsEnded(frame)
        case .data:
            if frame.endsStream {
                requestEnded(on: frame.stream)
            } else if frame.contentLength == 0 {
                return guards.emptyFrame()
            }
        case .goAway: events.append(.goAway)
        default: break
        }
        return true
    }

    private func fieldsEnded(_ frame: Frame) {
        guard let slot = assembling else { return }
        assembling = nil
        if frame.isRequest {
            requestCame(slot, endsStream: frame.endsStream)
        } else if let fault = assembler.finishTrailers(endsStream: frame.endsStream) {
            slot.requestEnded = frame.endsStream
            refuse(slot, fault)
        } else {
            requestEnded(on: frame.stream)
        }
    }

    private func requestCame(_ slot: HTTP2Stream, endsStream: Bool) {
        slot.requestEnded = endsStream
        let fault = assembler.finishRequest(endsStream: endsStream)
        slot.isHeadMethod = assembler.head.method.readable.equals("HEAD")
        if let fault { return refuse(slot, fault) }
        slot.awaitsContent = assembler.head.framing != .none
        swap(&slot.head, &assembler.head)
        slot.hasHead = true
        slot.isAnnounced = true
        events.append(.request(stream: slot.id, hasBody: slot.awaitsContent))
    }

    private func requestEnded(on stream: Int32) {
        guard let slot = openSlot(of: stream) else { return }
        slot.requestEnded = true
        if slot.awaitsContent, !slot.isRefused, !slot.isForgotten { events.append(.endOfBody(stream: stream)) }
    }

    func content(_ bytes: Span<UInt8>, on stream: Int32) -> Bool {
        guards.controlFrames.contentMoved(bytes.count)
        guard let slot = openSlot(of: stream), !slot.isRefused, !slot.isForgotten, !slot.isClosing else {
            session.consume(bytes.count, of: stream)
            return true
        }
        slot.receivedBytes += UInt64(bytes.count)
        if limits.bodyLimit > 0, slot.receivedBytes > limits.bodyLimit {
            session.consume(bytes.count, of: stream)
            refuse(slot, .contentTooLarge)
            return true
        }
        if slot.received.isEmpty { events.append(.body(stream: stream)) }
        slot.received.append(bytes)
        return true
    }

    /// The library refuses a field block and resets its stream; `blockIsWhole`: for what the lines lack, not for one of them.
    func frameRefused(_ frame: Frame, blockIsWhole: Bool) -> Bool {
        guard frame.type == .headers, let slot = assembling, slot.id == frame.stream else { return true }
        assembling = nil
        slot.isClosing = true
        let fault: MessageFault
        if !frame.isRequest {
            fault = .trailer
        } else if blockIsWhole {
            fault = assembler.finishRequest(endsStream: frame.endsStream) ?? .pseudoField
        } else {
            fault = assembler.fault ?? .fieldLine
        }
        refuse(slot, fault)
        return true
    }

    func streamClosed(_ stream: Int32) -> Bool {
        guard let index = session.slot(of: stream) else { return true }
        let slot = streams[index]
        drop(slot)
        if slot.answerFramed { guards.exchangeCompleted() }
        if slot.isAnnounced, !slot.isForgotten {
            events.append(slot.answerFramed ? .completed(stream: stream) : .reset(stream: stream))
        }
        if assembling === slot { assembling = nil }
        streams.release(index)
        return true
    }

    // MARK: Frames that go

    /// What a stream has to say.
    enum Content {
        case some(Int, isLast: Bool)
        case later
        case never
    }

    func contentReady(on stream: Int32, upTo limit: Int) -> Content {
        guard let slot = openSlot(of: stream), !slot.isClosing else { return .never }
        let count = min(limit, slot.outgoing.count)
        let isLast = slot.answerEnded && count == slot.outgoing.count
        guard count > 0 || isLast else {
            slot.isDeferred = true
            return .later
        }
        return .some(count, isLast: isLast)
    }

    /// Writes a DATA frame; false: the output is full.
    func writeContent(_ count: Int, of stream: Int32, after header: Span<UInt8>) -> Bool {
        sink.append(header)
        guard count > 0, let slot = openSlot(of: stream) else { return sink.count < sinkLimit }
        let wasHigh = slot.outgoing.count >= limits.sendLowMark
        slot.outgoing.move(count, to: &sink)
        framedBytes &+= UInt64(count)
        if wasHigh, slot.outgoing.count < limits.sendLowMark, !slot.answerEnded, !slot.isForgotten {
            events.append(.writable(stream: stream))
        }
        guards.controlFrames.contentMoved(count)
        return sink.count < sinkLimit
    }

    func frameSent(_ frame: Frame) -> Bool {
        switch frame.type {
        case .headers, .data:
            if frame.endsStream { answerEnded(on: frame.stream) }
        case .rstStream: resetSent(frame)
        case .goAway: sentGoAway = HTTP2ErrorCode(rawValue: frame.errorCode)
        default: break
        }
        return true
    }

    private func answerEnded(on stream: Int32) {
        guard let slot = openSlot(of: stream) else { return }
        slot.answerFramed = true
        // RFC 9113 §8.1: nobody reads the rest of the request, so the peer need not send it.
        if !slot.requestEnded { close(slot, .noError) }
    }

    private func resetSent(_ frame: Frame) {
        if let own = openSlot(of: frame.stream)?.ownCode, own.rawValue == frame.errorCode { return }
        guard !guards.provokedReset(), failure == nil else { return }
        failure = .abuse(.provokedResets)
        session.terminate(.enhanceYourCalm)
    }

    /// The library could not send a frame: an answer's head that it cannot encode must not leave the peer waiting.
    func frameNotSent(_ frame: Frame) -> Bool {
        if frame.type == .headers, let slot = openSlot(of: frame.stream) { close(slot, .internalError) }
        return true
    }
}
