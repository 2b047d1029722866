public import ArgumentParser
internal import Relabel

/// `relabel show`: the labels of one image.
public struct ShowCommand: ParsableCommand {
  /// Names and help.
  public static let configuration: CommandConfiguration = CommandConfiguration(
    commandName: "show",
    abstract: "Show the labels of one image: its top classes and the best class of each cell.",
    discussion: readingExitCodes
  )

  @Argument(help: "A shard, a folder or an index.json.", completion: .file())
  var path: String

  @Option(name: [.short, .long], help: "The image's key: its relative path without extension.")
  var key: String

  @Option(help: "How many classes of the whole image to list.")
  var top: Int = 5

  @Option(help: "How to print: text, or json with every id and score.")
  var format: OutputFormat = .text

  /// Makes the command.
  public init() {}

  /// Refuses a negative count.
  public func validate() throws {
    if top < 1 { throw ValidationError("Please give --top a number of at least 1.") }
  }

  /// Prints the labels.
  public func run() throws {
    do {
      let (reader, row) = try DatasetArgument(path).find(key)
      let map = try reader.map(at: row)
      let shown = ShownImage(
        key: key,
        imageIndex: try reader.imageIndexes()[row],
        map: map,
        header: reader.header,
        top: WholeImage.top(map, header: reader.header, count: top)
      )
      switch format {
      case .text: Output.result(shown.text())
      case .json: Output.result(try shown.json().pretty())
      }
    } catch {
      throw Exit.failing(error)
    }
  }
}

/// One image with its labels, ready to print.
private struct ShownImage {
  let key: String
  let imageIndex: Int64
  let map: LabelMap
  let header: ShardHeader
  let top: [(classIndex: UInt32, probability: Double)]

  private func name(_ classIndex: UInt32) -> String {
    header.metadata.classes?.name(of: Int(classIndex)) ?? "class \(classIndex)"
  }

  func text() -> String {
    var lines = ["\(key): image \(imageIndex) of the source, \(map.shape)", "whole image:"]
    for entry in top {
      let percent = (entry.probability * 100).rounded(to: 1)
      let padding = String(repeating: " ", count: max(0, 5 - percent.count))
      lines.append("  \(padding)\(percent) %  \(entry.classIndex)  \(name(entry.classIndex))")
    }
    lines.append("best class of each cell:")
    let best = bestOfCells()
    let width = best.map { String($0).count }.max() ?? 1
    for y in 0..<map.shape.height {
      let row = best[(y * map.shape.width)..<((y + 1) * map.shape.width)]
      lines.append(
        "  "
          + row.map { id in
            let text = String(id)
            return String(repeating: " ", count: width - text.count) + text
          }.joined(separator: " ")
      )
    }
    return lines.joined(separator: "\n")
  }

  /// The class with the highest score of each cell, whatever the cell order.
  private func bestOfCells() -> [UInt32] {
    let k = map.shape.topK
    return stride(from: 0, to: map.shape.entries, by: k).map { start in
      let best = (start..<start + k).max { map.score[$0] < map.score[$1] } ?? start
      return map.classIndex[best]
    }
  }

  func json() -> JSON {
    .object([
      "key": .string(key),
      "image_index": .integer(imageIndex),
      "top": .array(
        top.map { entry in
          .object([
            "class_index": .integer(Int64(entry.classIndex)),
            "name": .string(name(entry.classIndex)),
            "probability": .number(entry.probability),
          ])
        }
      ),
      "class_index": nested(map.classIndex.map { .integer(Int64($0)) }),
      "score": nested(map.score.map { .number(Double($0)) }),
    ])
  }

  /// Entries as nested arrays [y][x][rank].
  private func nested(_ entries: [JSON]) -> JSON {
    func split(_ entries: [JSON], _ size: Int) -> [JSON] {
      stride(from: 0, to: entries.count, by: size).map { .array(Array(entries[$0..<$0 + size])) }
    }
    return .array(split(split(entries, map.shape.topK), map.shape.width))
  }
}
