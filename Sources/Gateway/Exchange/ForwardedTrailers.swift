public import HTTP

extension Exchange {
    /// Fills the trailers that the upstream gets: nothing in them can pass for the gateway's own word, or for a credential.
    public func fill(trailers: inout FieldTable, ofRequest received: borrowing FieldTable) {
        trailers.removeAll()
        guard received.count > 0 else { return }
        let hopByHop = HopByHop(request.fields)
        for index in 0..<received.count {
            guard !hopByHop.nominates(received.name(index), of: request.fields) else { continue }
            guard TrailerRules.allows(received.name(index)), !FieldHygiene.removes(received.name(index)) else {
                continue
            }
            trailers.append(name: received.name(index), value: received.value(index))
        }
    }

    /// Fills the trailers that the client gets.
    public func fill(trailers: inout FieldTable, ofAnswer received: borrowing FieldTable) {
        trailers.removeAll()
        for index in 0..<received.count {
            guard TrailerRules.allows(received.name(index)), !FieldHygiene.isOurs(received.name(index)) else {
                continue
            }
            trailers.append(name: received.name(index), value: received.value(index))
        }
    }
}
