import Bytes

/// What all workers were told and have not all confirmed yet.
///
/// A class, since what completes one may open another.
final class Publications<Answer> {
    private struct Publication {
        var outstanding: Set<Int>
        var answer: Answer
        let completion: (Answer) -> Void
    }

    private var publications: [UInt64: Publication] = [:]
    private var lastNumber: UInt64 = 0

    /// Opens one.
    ///
    /// - Parameters:
    ///   - workers: who will confirm; where nobody will, it is complete at once.
    ///   - start: what their answers are added to.
    /// - Returns: its number.
    func open(to workers: Set<Int>, from start: Answer, completion: @escaping (Answer) -> Void) -> UInt64 {
        lastNumber += 1
        let number = lastNumber
        if workers.isEmpty {
            completion(start)
        } else {
            publications[number] = Publication(outstanding: workers, answer: start, completion: completion)
        }
        return number
    }

    /// A worker has confirmed: the last one completes it.
    func confirm(_ number: UInt64, by worker: Int, _ add: (inout Answer) -> Void = { _ in }) {
        guard var publication = publications.removeValue(forKey: number) else { return }
        if publication.outstanding.remove(worker) != nil { add(&publication.answer) }
        guard publication.outstanding.isEmpty else { return publications[number] = publication }
        publication.completion(publication.answer)
    }

    /// A worker has ended and will confirm nothing: whatever is open is complete without it.
    func workerEnded(_ worker: Int) {
        for number in publications.keys.sorted() { confirm(number, by: worker) }
    }
}
