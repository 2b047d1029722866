internal import ArgumentParser
internal import Relabel

/// Completes keys of images and ids of classes in a shell, where reading them takes no time that a person would notice.
enum KeyCompletion {
  /// Datasets of more images are not read.
  private static let mostImages = 100_000
  /// More keys or classes than people look through.
  private static let mostKeys = 200

  /// Completes `--key`.
  static let kind: CompletionKind = .custom { words, _, prefix in
    keys(words.last(where: isPath) ?? "", beginningWith: prefix)
  }

  /// The keys of a path that begin with `prefix`; none where the path can't be read, for a shell that waits at its prompt
  /// has no place for an error.
  static func keys(_ path: String, beginningWith prefix: String) -> [String] {
    guard let maps = try? openLabelMaps(path), maps.count <= mostImages else { return [] }
    var keys: [String] = []
    for position in 0..<maps.count where keys.count < mostKeys {
      guard let key = try? maps.key(at: position) else { return keys }
      // What would steer the terminal is no word to offer.
      if key.hasPrefix(prefix), key.printable == key, keys.last != key { keys.append(key) }
    }
    return keys
  }

  /// Completes `--class`.
  static let classes: CompletionKind = .custom { words, _, prefix in
    classes(words.last(where: isPath) ?? "", beginningWith: prefix)
  }

  /// The ids of a path's classes that begin with `prefix`; none where it lists none or can't be read.
  static func classes(_ path: String, beginningWith prefix: String) -> [String] {
    guard let table = (try? openLabelMaps(path).header)?.metadata.classes else { return [] }
    return Array(
      table.entries.lazy.map(\.id).filter { $0.hasPrefix(prefix) && $0.printable == $0 }
        .prefix(mostKeys)
    )
  }

  private static func isPath(_ word: String) -> Bool {
    !word.hasPrefix("-") && (Folder.exists(word) || Folder.hasFile(word))
  }
}
