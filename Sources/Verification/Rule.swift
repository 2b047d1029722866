/// One rule of the verifier; `spec/rules.md` explains each.
public struct Rule: Hashable, Sendable {
  /// How much a broken rule matters.
  public enum Severity: String, Hashable, Sendable, CaseIterable, Comparable {
    /// Allowed, but worth knowing.
    case note
    /// Allowed, but seldom meant: look before you train.
    case warning
    /// The data breaks the spec.
    case error

    /// A note is less than a warning, a warning less than an error.
    public static func < (a: Severity, b: Severity) -> Bool {
      a != b && (a == .note || b == .error)
    }
  }

  /// What a rule looks at; the first letter of its id.
  public enum Stage: Character, Hashable, Sendable, CaseIterable {
    /// The first bytes, before the HDF5 library sees the file.
    case bytes = "S"
    /// How the HDF5 file is built.
    case container = "C"
    /// Whether HDF5 datasets and attributes are those of the format.
    case layout = "L"
    /// What is in the rows.
    case values = "V"
    /// The folder and its index.
    case dataset = "M"
    /// The pictures and what annotators say of them.
    case images = "I"
    /// What somebody will miss.
    case provenance = "P"
  }

  /// What a broken rule makes of the file; decides the exit code.
  public enum Outcome: Int, Hashable, Sendable, CaseIterable {
    /// Nothing: a warning or a note.
    case sound = 0
    /// The file breaks the spec but can be read.
    case findings = 1
    /// Reading on could do harm.
    case unsafe = 4
    /// Bytes are damaged or missing.
    case corrupt = 5
    /// A newer reader is needed.
    case unsupported = 6

    /// Those that make the verifier fail, gravest first.
    static let byGravity: [Outcome] = [.corrupt, .unsafe, .unsupported, .findings]
  }

  /// The stable id; never used again for another rule.
  public let id: String
  /// What is required, in one line.
  public let title: String
  /// How much a violation matters, unless a configuration says otherwise.
  public let severity: Severity
  /// What a violation makes of the file.
  public let outcome: Outcome

  /// What the rule looks at.
  public var stage: Stage { id.first.flatMap(Stage.init) ?? .provenance }

  private init(
    _ id: String,
    _ title: String,
    _ outcome: Outcome,
    _ severity: Severity = .error
  ) {
    self.id = id
    self.title = title
    self.severity = severity
    self.outcome = outcome
  }

  private static func warning(_ id: String, _ title: String) -> Rule {
    Rule(id, title, .sound, .warning)
  }

  private static func note(_ id: String, _ title: String) -> Rule { Rule(id, title, .sound, .note) }

  /// Every rule, in the order of its id's stage: bytes, container, layout, values,
  /// dataset, images, provenance.
  public static let all: [Rule] = [
    Rule("S001", "The file starts with the HDF5 signature at byte 0", .corrupt),
    Rule("S002", "The superblock is of version 3 with 8-byte offsets and lengths", .findings),
    Rule("S003", "The file was closed by its writer", .corrupt),
    Rule("S004", "The file is as long as its superblock says", .corrupt),

    Rule("C001", "The HDF5 library can open and read the file", .corrupt),
    Rule("C002", "The root group holds hard links to datasets and nothing else", .unsafe),
    Rule("C003", "Every dataset is chunked and inside this file", .unsafe),
    Rule("C004", "Every dataset has the filter chain of the spec", .findings),
    Rule("C005", "Links and attributes are compact and of simple types", .findings),
    Rule("C006", "Sizes are within the limits before anything is read", .unsafe),
    Rule("C007", "Every chunk is present", .corrupt),
    Rule("C008", "Every chunk matches its checksum and decodes to its exact size", .corrupt),
    Rule("C009", "No chunk skips its checksum", .findings),
    Rule("C010", "Elements are little-endian numbers or fixed-length strings", .unsafe),
    Rule("C011", "No two parts of the file share bytes", .unsafe),
    Rule("C012", "The structure holds only what the profile names", .unsafe),
    Rule("C013", "No times are stored", .findings),

    Rule("L001", "The file says that it is a relabel shard", .findings),
    Rule("L002", "The format version is supported", .unsupported),
    Rule("L003", "Every required feature is known", .unsupported),
    Rule("L004", "The root attributes are present and valid", .findings),
    Rule("L005", "The required datasets are present and no others", .findings),
    Rule("L006", "The datasets have the types of the spec", .findings),
    Rule("L007", "The datasets have fitting shapes", .findings),
    Rule("L008", "Every dataset names its axes", .findings),
    Rule("L009", "Fill values are those reserved for 'never written'", .findings),
    Rule("L010", "The score encoding is complete: a power-of-two step and its offset", .findings),
    Rule("L011", "Axis 0 is unlimited, the others are fixed", .findings),
    Rule("L012", "Chunks hold whole images, alike for ids and scores", .findings),
    Rule("L013", "The metadata document is complete and valid", .findings),
    Rule("L014", "The metadata document matches its digest", .corrupt),

    Rule("V001", "Every class id is below the number of classes", .findings),
    Rule("V002", "The class ids of a cell are distinct", .findings),
    Rule("V003", "Every score is finite", .findings),
    Rule("V004", "Cells are in the declared order", .findings),
    Rule("V005", "Probabilities are between 0 and 1", .findings),
    Rule("V006", "The probabilities of a cell sum to at most 1", .findings),
    Rule("V007", "Every row has been written", .findings),
    Rule("V008", "Padding rows hold the fill value", .findings),
    Rule("V009", "Image indexes are unique and not negative", .findings),
    Rule("V010", "Image keys are valid and unique", .findings),
    warning("V011", "The cells of a map differ"),
    warning("V012", "The scores of a map differ"),
    warning("V013", "No map stands for many images"),
    warning("V014", "Every class is seen"),
    warning("V015", "No class dominates"),
    warning("V016", "The planes of ids and scores are not exchanged"),
    warning("V017", "The scores look like the declared kind"),
    warning("V018", "The maps agree with the source labels"),

    Rule("M001", "The folder has an index.json", .findings),
    Rule("M002", "index.json matches its own digest", .corrupt),
    Rule("M003", "index.json has every member", .findings),
    Rule("M004", "The folder holds the listed shards and no others", .findings),
    Rule("M005", "Every shard has the listed size and digest", .corrupt),
    Rule("M006", "Every shard holds what index.json says", .findings),
    Rule("M007", "Image keys and indexes are unique in the dataset", .findings),
    Rule("M008", "All shards agree in what they must", .findings),
    Rule("M009", "Shard paths stay inside the folder", .unsafe),
    Rule("M010", "Every listed shard has rows", .findings),
    warning("M011", "The shards are alike in their scores"),

    Rule("I001", "Every image has its picture", .findings),
    Rule("I002", "Every picture has its image", .findings),
    Rule("I003", "Pictures have the stored size", .findings),
    Rule("I004", "Pictures have the stored digest", .findings),
    warning("I005", "The boxes agree with the declared orientation"),
    Rule("I006", "Fresh maps agree with the stored ones", .findings),

    note("P001", "The annotator is documented"),
    note("P002", "The class table is included"),
    note("P003", "The orientation is stated"),
  ]

  private static let byID: [String: Rule] = Dictionary(
    uniqueKeysWithValues: all.map { ($0.id, $0) }
  )

  /// The rule with an id, or nil.
  public static func with(id: String) -> Rule? { byID[id] }
}
