import Relabel

/// What arrays are by their names, in files that hold several.
enum ArrayRoles {
  /// The words for scores of classes that were kept.
  static let scores = ["score", "scores", "values"]
  /// The words for class ids.
  static let ids = ["class_index", "class_ids", "ids", "indices"]
  /// The words for scores of all classes.
  static let dense: [String: ScoreKind] = [
    "logits": .logit, "probabilities": .probability, "log_probabilities": .logProbability,
  ]

  /// The image that an array is of, and what it is of that.
  static func parts(of name: String) -> (key: String, role: String) {
    for separator in ["/", "."] {
      let parts = name.split(separator: Character(separator), omittingEmptySubsequences: false)
      if parts.count > 1, let role = parts.last.map(String.init), isRole(role) {
        return (String(name.dropLast(role.count + 1)), role)
      }
    }
    return (name, "")
  }

  private static func isRole(_ word: String) -> Bool {
    scores.contains(word) || ids.contains(word) || dense[word] != nil
  }
}
