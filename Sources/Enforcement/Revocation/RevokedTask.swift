/// A task, of one orchestration or of any.
struct RevokedTask: Hashable, Sendable {
    let orchestration: String?
    let task: String

    /// Every task that `value`, written `TASK` or `ORCHESTRATION/TASK`, can mean.
    ///
    /// Names may hold slashes themselves, so there is a reading for each of them: too much is revoked rather than too little.
    static func readings(of value: String) -> [RevokedTask] {
        var readings = [RevokedTask(orchestration: nil, task: value)]
        for slash in value.indices where value[slash] == "/" {
            readings.append(
                RevokedTask(orchestration: String(value[..<slash]), task: String(value[value.index(after: slash)...])))
        }
        return readings
    }
}
