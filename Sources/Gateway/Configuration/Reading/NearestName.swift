/// Guesses which known name a misspelt one was meant to be.
enum NearestName {
    /// The known name that takes the fewest edits, or that `name` begins; nothing where all are far.
    static func of(_ name: String, among known: [String]) -> String? {
        let allowance = max(1, min(3, name.count / 3 + 1))
        let distances = known.map { (name: $0, distance: distance(Array(name), Array($0))) }
        guard let nearest = distances.min(by: { $0.distance < $1.distance }) else { return nil }
        if nearest.distance <= allowance { return nearest.name }
        return name.count < 3 ? nil : known.first { $0.hasPrefix(name) }
    }

    /// The number of characters to insert, delete or replace (Levenshtein), case ignored and `-` read as `_`.
    private static func distance(_ left: [Character], _ right: [Character]) -> Int {
        guard left.count <= 64, right.count <= 64 else { return .max }
        let left = left.map(folded)
        let right = right.map(folded)
        var row = Array(0...right.count)
        for (i, a) in left.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, b) in right.enumerated() {
                let replaced = diagonal + (a == b ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(replaced, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[right.count]
    }

    private static func folded(_ character: Character) -> Character {
        character == "-" ? "_" : (character.lowercased().first ?? character)
    }
}
