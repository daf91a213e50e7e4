/// The events that the driver has not taken yet, oldest first, in an array whose memory is kept.
struct EventQueue<Event> {
    private var events: [Event] = []
    private var next = 0

    mutating func append(_ event: Event) {
        events.append(event)
    }

    mutating func popFirst() -> Event? {
        guard next < events.count else { return nil }
        let event = events[next]
        next += 1
        if next == events.count {
            events.removeAll(keepingCapacity: true)
            next = 0
        }
        return event
    }
}
