import Glibc

/// The one owner of an open file descriptor: closed when the value ends.
public struct FileDescriptor: ~Copyable, Sendable {
    /// The kernel's number, valid as long as this value lives.
    public let number: CInt

    /// Takes ownership of a descriptor that nobody else closes.
    public init(owning number: CInt) {
        self.number = number
    }

    /// Hands the descriptor on without closing it.
    public consuming func release() -> CInt {
        let number = self.number
        discard self
        return number
    }

    deinit {
        _ = close(number)
    }
}
