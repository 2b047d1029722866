internal import Relabel

/// The most probable classes of a target, ready to print.
struct TopClasses {
  let entries: [(classIndex: UInt32, probability: Float)]
  let header: ShardHeader

  private func name(_ classIndex: UInt32) -> String {
    header.metadata.classes?.name(of: Int(classIndex)) ?? "class \(classIndex)"
  }

  /// One line for each class.
  func lines() -> [String] {
    entries.map { entry in
      let percent = (Double(entry.probability) * 100).rounded(to: 1)
      let padding = String(repeating: " ", count: max(0, 5 - percent.count))
      return "  \(padding)\(percent) %  \(entry.classIndex)  \(name(entry.classIndex))"
    }
  }

  func json() -> JSON {
    .array(
      entries.map { entry in
        .object([
          "class_index": .integer(Int64(entry.classIndex)),
          "name": .string(name(entry.classIndex)),
          "probability": .number(Double(entry.probability)),
        ])
      }
    )
  }
}
