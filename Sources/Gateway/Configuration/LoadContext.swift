import Bytes

/// What reading a configuration needs beside the document.
struct LoadContext {
    let faults: FaultCollector
    /// Where relative paths start.
    let place: FilePlace
    /// The moment that validity periods are judged at.
    let now: UnixTime
}
