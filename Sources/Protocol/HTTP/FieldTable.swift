public import Bytes

/// The field lines of one message in the order they came (RFC 9110 §5), names in lower case.
///
/// All names and values lie in one block and the table holds offsets into it, so a field costs no allocation. The block
/// is kept when the table is emptied: an exchange that is reused allocates nothing.
public struct FieldTable: ~Copyable {
    /// One field line.
    public struct Field: Sendable {
        /// The interned name.
        public let known: FieldName
        /// Where the lower-case name lies.
        public let name: ByteRange
        /// Where the value lies, without surrounding white space.
        public let value: ByteRange
    }

    @usableFromInline var block = ByteQueue()
    @usableFromInline var fields: [Field] = []

    /// Makes an empty table.
    public init() {}

    /// The number of field lines.
    @inlinable public var count: Int { fields.count }

    /// The number of bytes that names and values take.
    @inlinable public var byteCount: Int { block.count }

    /// The field line at `index`.
    @inlinable public subscript(index: Int) -> Field { fields[index] }

    /// The lower-case name of the line at `index`.
    @inlinable @_lifetime(borrow self)
    public borrowing func name(_ index: Int) -> Span<UInt8> {
        block.readable.extracting(fields[index].name.offsets)
    }

    /// The value of the line at `index`, without surrounding white space.
    @inlinable @_lifetime(borrow self)
    public borrowing func value(_ index: Int) -> Span<UInt8> {
        block.readable.extracting(fields[index].value.offsets)
    }

    /// The index of the first line of that name at or after `start`, or nothing.
    @inlinable public func firstIndex(of name: FieldName, from start: Int = 0) -> Int? {
        var index = start
        while index < fields.count {
            if fields[index].known == name { return index }
            index += 1
        }
        return nil
    }

    /// The number of lines of that name: counted before anything is joined.
    @inlinable public func lineCount(of name: FieldName) -> Int {
        var lines = 0
        for field in fields where field.known == name { lines += 1 }
        return lines
    }

    /// Adds a line: the name is stored in lower case, the value as given.
    public mutating func append(name: Span<UInt8>, value: Span<UInt8>) {
        let start = block.count
        // The room is exactly that of the two: the name is written to its front, the value behind it.
        unsafe block.append(upTo: name.count + value.count) { room in
            for index in name.indices { unsafe room[index] = name[index].asciiLowercased }
            unsafe value.withUnsafeBufferPointer { source in
                let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: room[name.count...])
                unsafe rest.copyMemory(from: UnsafeRawBufferPointer(source))
            }
            return name.count + value.count
        }
        let range = ByteRange(start: start, count: name.count)
        let known = FieldName(lowercased: block.readable.extracting(range.offsets))
        let rest = ByteRange(start: start + name.count, count: value.count)
        fields.append(Field(known: known, name: range, value: rest))
    }

    /// Adds a line with an interned name, which must not be ``FieldName/other``.
    public mutating func append(_ name: FieldName, value: Span<UInt8>) {
        let start = block.count
        block.append(name.text)
        appendValue(value, name: ByteRange(start: start, count: block.count - start), known: name)
    }

    /// Adds a line with a literal name in lower case.
    public mutating func append(literal name: StaticString, value: Span<UInt8>) {
        let start = block.count
        block.append(name)
        let known = FieldName(lowercased: block.readable.extracting(start..<block.count))
        appendValue(value, name: ByteRange(start: start, count: block.count - start), known: known)
    }

    private mutating func appendValue(_ value: Span<UInt8>, name: ByteRange, known: FieldName) {
        let start = block.count
        block.append(value)
        fields.append(Field(known: known, name: name, value: ByteRange(start: start, count: value.count)))
    }

    /// Empties the table and keeps its memory.
    public mutating func removeAll() {
        // A head of unusual size must not be paid for by every later one.
        if block.capacity > 16 << 10 { block.releaseStorage() } else { block.removeAll() }
        fields.removeAll(keepingCapacity: true)
    }
}
