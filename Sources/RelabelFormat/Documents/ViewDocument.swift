/// The member `views` of the metadata document: how views were made of pictures (spec, section 10.2).
enum ViewDocument {
  /// The words of `chain`.
  static let steps = ["crop", "resize", "flip", "operations", "mixup", "cutmix"]
  /// The words of `teacher_mode`.
  static let modes = ["eval", "train", "unknown"]

  /// Refuses what the schema (`spec/metadata.schema.json`) does not allow.
  ///
  /// - Throws: `.invalidInput` naming the member.
  static func check(_ views: JSON) throws(RelabelError) {
    guard case .object = views else {
      throw RelabelError(.invalidInput, "member 'views' is not an object")
    }
    let rules: [(name: String, isRight: (JSON) -> Bool, what: String)] = [
      ("dialect", { $0.string != nil }, "a word"),
      (
        "chain", { $0.array?.allSatisfy { steps.contains($0.string ?? "") } == true },
        "a list of words of \(steps.joined(separator: ", "))"
      ),
      ("interpolation", { $0.string != nil }, "a word"),
      ("antialias", { if case .bool = $0 { true } else { false } }, "true or false"),
      (
        "teacher_mode", { modes.contains($0.string ?? "") },
        "one of \(modes.joined(separator: ", "))"
      ),
      ("operations_schema", { $0.string?.isEmpty == false }, "a text"),
      ("batch_size", { ($0.integer ?? 0) > 0 }, "a number above 0"),
      ("source", { if case .object = $0 { true } else { false } }, "an object"),
    ]
    for rule in rules {
      guard let value = views[rule.name], !rule.isRight(value) else { continue }
      throw RelabelError(.invalidInput, "the views' '\(rule.name)' is not \(rule.what)")
    }
  }
}
