import Testing

@testable import Server

@Suite("What all workers were told")
struct PublicationsTests {
    private final class Heard {
        var answers: [Int] = []
    }

    @Test("Is complete when the last has confirmed, with the sum of all answers")
    func completes() {
        let publications = Publications<Int>()
        let heard = Heard()
        let number = publications.open(to: [0, 1], from: 0) { heard.answers.append($0) }
        publications.confirm(number, by: 0) { $0 += 3 }
        #expect(heard.answers == [])
        publications.confirm(number, by: 1) { $0 += 4 }
        #expect(heard.answers == [7])
        publications.confirm(number, by: 1) { $0 += 4 }
        #expect(heard.answers == [7])
    }

    @Test("Nobody counts twice: a worker that confirms and then ends leaves the other's answer awaited")
    func countsOnce() {
        let publications = Publications<Int>()
        let heard = Heard()
        let number = publications.open(to: [0, 1], from: 0) { heard.answers.append($0) }
        publications.confirm(number, by: 0) { $0 += 1 }
        publications.workerEnded(0)
        #expect(heard.answers == [])
        publications.workerEnded(1)
        #expect(heard.answers == [1])
    }

    @Test("Where there is no worker it is complete at once")
    func nobody() {
        let publications = Publications<Int>()
        let heard = Heard()
        _ = publications.open(to: [], from: 5) { heard.answers.append($0) }
        #expect(heard.answers == [5])
    }

    @Test("What completes one may open another")
    func nests() {
        let publications = Publications<Int>()
        let heard = Heard()
        let first = publications.open(to: [0], from: 1) { answer in
            heard.answers.append(answer)
            _ = publications.open(to: [], from: 2) { heard.answers.append($0) }
        }
        publications.confirm(first, by: 0)
        #expect(heard.answers == [1, 2])
    }
}
