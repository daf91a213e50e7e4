import Bytes
import Cryptography

/// Moments that tests share: nothing here reads a clock.
let beginning = UnixTime(seconds: 1_790_000_000)
let end = UnixTime(seconds: 1_790_086_400)
