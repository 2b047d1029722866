/// Colours of classes, as `palette.js` has them.
package enum Palette {
  /// Red, green and blue.
  package typealias Colour = (red: UInt8, green: UInt8, blue: UInt8)

  /// Colours that people with any kind of colour vision tell apart (Okabe and Ito, 2008), without black.
  package static let colours: [Colour] = [
    (0xE6, 0x9F, 0x00), (0x56, 0xB4, 0xE9), (0x00, 0x9E, 0x73), (0xF0, 0xE4, 0x42),
    (0x00, 0x72, 0xB2), (0xD5, 0x5E, 0x00), (0xCC, 0x79, 0xA7), (0x8C, 0x6B, 0xB1),
  ]

  /// The colour of all classes that have none of their own.
  package static let other: Colour = (0x8A, 0x8A, 0x8A)

  /// The colour as HTML and SVG write it.
  package static func text(_ colour: Colour) -> String {
    "#"
      + [colour.red, colour.green, colour.blue].map { part in
        let digits = String(part, radix: 16)
        return part < 16 ? "0\(digits)" : digits
      }.joined()
  }
}

/// The classes of some cells with how often each occurs, and a colour for the most frequent ones.
package struct Legend {
  /// Most frequent first, ties by class.
  package let counts: [(classIndex: UInt32, count: Int)]
  /// How many cells there are.
  package let cells: Int

  /// Counts the classes of cells.
  package init(_ classes: [UInt32]) {
    var counts: [UInt32: Int] = [:]
    for id in classes { counts[id, default: 0] += 1 }
    self.counts = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
      .map { ($0.key, $0.value) }
    cells = classes.count
  }

  /// The classes that have a colour of their own, each with its colour and its share of the cells.
  package var own: [(classIndex: UInt32, colour: Palette.Colour, share: Double)] {
    zip(counts, Palette.colours).map {
      ($0.classIndex, $1, Double($0.count) / Double(max(cells, 1)))
    }
  }

  /// How many classes have no colour of their own, and their share of the cells; nil for none.
  package var others: (classes: Int, share: Double)? {
    let rest = counts.dropFirst(Palette.colours.count)
    guard !rest.isEmpty else { return nil }
    return (rest.count, Double(rest.reduce(0) { $0 + $1.count }) / Double(max(cells, 1)))
  }

  /// The colour of a class.
  package var colours: [UInt32: Palette.Colour] {
    Dictionary(uniqueKeysWithValues: own.map { ($0.classIndex, $0.colour) })
  }
}
