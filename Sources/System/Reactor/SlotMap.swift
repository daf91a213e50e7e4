/// Names one entry of a ``SlotMap``: it stays unequal to every later entry of the same slot.
public struct SlotKey: Hashable, Sendable {
    /// Slot in the low half, generation in the high half; what the kernel carries for us.
    public let rawValue: UInt64

    /// Reads a key back.
    @inlinable public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    @inlinable init(index: Int, generation: UInt32) {
        rawValue = UInt64(generation) << 32 | UInt64(UInt32(truncatingIfNeeded: index))
    }

    @usableFromInline var index: Int { Int(rawValue & 0xffff_ffff) }
    @usableFromInline var generation: UInt32 { UInt32(truncatingIfNeeded: rawValue >> 32) }
}

/// A table of entries that are found by a key which no later entry can be mistaken for.
///
/// A descriptor's number is reused by the kernel as soon as it is closed; an event that was queued for the old owner would
/// then reach the new one. Keys carry a generation, so that such an event finds nothing.
public struct SlotMap<Element: AnyObject> {
    @usableFromInline struct Slot {
        @usableFromInline var element: Element?
        @usableFromInline var generation: UInt32
    }

    @usableFromInline var slots: [Slot] = []
    @usableFromInline var free: [Int] = []

    /// Makes an empty table.
    public init() {}

    /// The number of entries.
    public var count: Int { slots.count - free.count }

    /// The entry of that key, or nothing where it has been removed since.
    @inlinable public subscript(key: SlotKey) -> Element? {
        let index = Int(key.rawValue & 0xffff_ffff)
        guard index < slots.count, slots[index].generation == UInt32(truncatingIfNeeded: key.rawValue >> 32) else {
            return nil
        }
        return slots[index].element
    }

    /// Adds an entry and names it.
    public mutating func insert(_ element: Element) -> SlotKey {
        if let index = free.popLast() {
            slots[index].element = element
            return SlotKey(index: index, generation: slots[index].generation)
        }
        slots.append(Slot(element: element, generation: 1))
        return SlotKey(index: slots.count - 1, generation: 1)
    }

    /// Removes the entry of that key, if it is there.
    public mutating func remove(_ key: SlotKey) {
        let index = key.index
        guard index < slots.count, slots[index].generation == key.generation, slots[index].element != nil else {
            return
        }
        slots[index].element = nil
        // 0 is never given: keys of that generation belong to whoever made them by hand.
        slots[index].generation = slots[index].generation == .max ? 1 : slots[index].generation + 1
        free.append(index)
    }

    /// Removes the entries that `condition` holds for.
    public mutating func removeAll(where condition: (Element) -> Bool) {
        for index in slots.indices {
            guard let element = slots[index].element, condition(element) else { continue }
            remove(SlotKey(index: index, generation: slots[index].generation))
        }
    }

    /// An element that meets the condition, or nothing.
    public func first(where condition: (Element) -> Bool) -> Element? {
        for slot in slots {
            if let element = slot.element, condition(element) { return element }
        }
        return nil
    }

    /// All entries, in no order.
    public var elements: [Element] { slots.compactMap(\.element) }
}
