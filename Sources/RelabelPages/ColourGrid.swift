package import Relabel

/// The best classes of a map as coloured half blocks for a terminal, with a legend.
package struct ColourGrid {
  /// How a terminal is told a colour.
  package enum Depth: Sendable {
    /// 24 bits.
    case true24
    /// The palette of 256 colours that nearly all terminals have.
    case palette256
  }

  private let depth: Depth
  private let best: BestCells
  private let legend: Legend
  private let header: ShardHeader
  private let columns: Int

  /// Looks at a map.
  ///
  /// - Parameters:
  ///   - map: what is shown, its rows from top to bottom.
  ///   - header: what it means.
  ///   - depth: how colours are written.
  ///   - columns: how many characters a line may have.
  package init(_ map: LabelMap, _ header: ShardHeader, _ depth: Depth, columns: Int = 80) {
    best = BestCells(map, header)
    legend = Legend(best.classIndex)
    (self.header, self.depth, self.columns) = (header, depth, columns)
  }

  /// The grid, then the legend; names have passed the gate, and each line ends in plain colours.
  package var lines: [String] { grid + names }

  private static let plain = "\u{1B}[0m"

  private var grid: [String] {
    let shape = header.shape
    // A cell is a square of half blocks; of a grid that is too wide, every n-th cell is shown.
    let scale = max(1, min(columns / shape.width, 32 / max(shape.height, shape.width), 8))
    let step = (shape.width + columns - 1) / columns
    let height = (shape.height + step - 1) / step * scale
    let width = (shape.width + step - 1) / step * scale
    var lines: [String] = []
    for upper in stride(from: 0, to: height, by: 2) {
      var line = "  "
      for x in 0..<width {
        let column = x / scale * step
        line += code(colour(upper / scale * step, column), isBack: false)
        let lower = upper + 1
        // Below an odd number of rows nothing is painted.
        line +=
          lower < height ? code(colour(lower / scale * step, column), isBack: true) : "\u{1B}[49m"
        line += "▀"
      }
      lines.append(line + Self.plain)
    }
    if step > 1 { lines.append("  (one of \(step) rows and columns is shown)") }
    return lines
  }

  /// The colour of a cell's class, darker the less probable it is.
  private func colour(_ y: Int, _ x: Int) -> Palette.Colour {
    let cell = y * header.shape.width + x
    let colour = legend.colours[best.classIndex[cell]] ?? Palette.other
    let light = 0.35 + 0.65 * min(max(best.probability[cell], 0), 1)
    func part(_ value: UInt8) -> UInt8 { UInt8((Double(value) * light).rounded()) }
    return (part(colour.red), part(colour.green), part(colour.blue))
  }

  private var names: [String] {
    var lines = legend.own.map { id, colour, share in
      let name = header.metadata.classes?.name(of: Int(id)).shortened ?? "class \(id)"
      return "  \(code(colour, isBack: false))██\(Self.plain) \(share.percent)  \(id)  \(name)"
    }
    if let others = legend.others {
      let noun = others.classes == 1 ? "class" : "classes"
      lines.append(
        "  \(code(Palette.other, isBack: false))██\(Self.plain) \(others.share.percent)  \(others.classes) other \(noun)"
      )
    }
    return lines
  }

  /// The sequence that makes what follows this colour, or its background.
  private func code(_ colour: Palette.Colour, isBack: Bool) -> String {
    let ground = isBack ? 48 : 38
    switch depth {
    case .true24: return "\u{1B}[\(ground);2;\(colour.red);\(colour.green);\(colour.blue)m"
    case .palette256:
      func step(_ value: UInt8) -> Int { value < 48 ? 0 : value < 115 ? 1 : (Int(value) - 35) / 40 }
      let number = 16 + 36 * step(colour.red) + 6 * step(colour.green) + step(colour.blue)
      return "\u{1B}[\(ground);5;\(number)m"
    }
  }
}
