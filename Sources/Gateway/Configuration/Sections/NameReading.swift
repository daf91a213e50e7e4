import Bytes

extension DocumentReader {
    /// A name for people and logs: up to 128 bytes without control characters, spaces at its ends included.
    func name() -> String? {
        value(expected: "a name of at most 128 bytes, without control characters or spaces at its ends") { text in
            guard text.utf8.count <= 128, text.first != " ", text.last != " " else { return nil }
            return text.unicodeScalars.contains { $0.properties.generalCategory == .control } ? nil : text
        }
    }

    /// A name that nothing else of its kind has.
    func name(takenIn register: inout NameRegister) -> String? {
        guard let name = name() else { return nil }
        register.take(name, self)
        return name
    }

    /// The name of a SPIFFE trust domain (SPIFFE-ID §2.1).
    func trustDomain() -> String? {
        value(expected: "a trust domain: lower-case letters, digits, dots, hyphens and underscores, at most 255") {
            text in
            let isValid = text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."),
                    UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
            return isValid && text.utf8.count <= 255 ? text : nil
        }
    }

    /// An address to listen on, the path of a Unix socket taken as relative to `place`.
    func address(in place: FilePlace) -> ListenAddress? {
        let expected = "host:port, [v6]:port or unix:PATH"
        guard let address = value(expected: expected, ListenAddress.init)?.resolved(in: place) else { return nil }
        guard ListenAddress(address.description) != nil else {
            refuse("the path of the socket is longer than 107 bytes from the root; shorten it")
            return nil
        }
        return address
    }
}
