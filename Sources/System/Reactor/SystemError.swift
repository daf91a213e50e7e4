import Glibc

/// A call to the kernel that failed, with its `errno`.
public struct SystemError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The value of `errno`.
    public let code: CInt
    /// The name of the call, such as `bind`.
    public let call: StaticString

    /// Takes the current `errno` as the reason why `call` failed.
    public init(_ call: StaticString) {
        self.init(call, code: errno)
    }

    /// Makes an error from a known code.
    public init(_ call: StaticString, code: CInt) {
        self.code = code
        self.call = call
    }

    /// The call and the reason in words: `bind: Address already in use`.
    public var description: String {
        "\(call): \(unsafe String(cString: strerror(code)))"
    }

    /// Two errors are the same where call and code are.
    public static func == (left: SystemError, right: SystemError) -> Bool {
        left.code == right.code && left.call.description == right.call.description
    }
}
