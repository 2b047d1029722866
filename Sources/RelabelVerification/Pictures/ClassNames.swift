package import Relabel

/// Finds classes by what people call them.
package struct ClassNames {
  private var indexes: [String: Int] = [:]
  private let numClasses: Int

  /// Looks at the classes of a dataset.
  package init(_ table: ClassTable?, numClasses: Int) {
    self.numClasses = numClasses
    let entries = table?.entries ?? []
    var names: [String: Int?] = [:]
    for (index, entry) in entries.enumerated() {
      // ImageNet has two classes "crane": such a name means none of them.
      names[entry.name] = names.keys.contains(entry.name) ? .some(nil) : index
    }
    indexes = names.compactMapValues(\.self)
    for (index, entry) in entries.enumerated() { indexes[entry.id] = index }
  }

  /// The class with an id of the table, else with a name that only one class has, else with an
  /// index; nil when there is none.
  package func index(of text: String) -> Int? {
    if let index = indexes[text] { return index }
    guard let index = Int(text), (0..<numClasses).contains(index) else { return nil }
    return index
  }
}
