public import Relabel

/// Facts about an image that a program may give beside the map (spec, section 4.5).
public struct ImageDetails: Sendable {
  /// The details that there are; each is an optional HDF5 dataset of the same name.
  public enum Name: String, CaseIterable, Sendable {
    /// Height and width of the picture.
    case imageSize = "image_size"
    /// SHA-256 of the picture's file.
    case imageSHA256 = "image_sha256"
    /// The class that the source gives.
    case sourceLabel = "source_label"
    /// The part of the picture that the map covers.
    case mapExtent = "map_extent"
    /// The logarithm of the sum of all classes' exponentials, cell by cell.
    case logNormalizer = "log_normalizer"
  }

  /// Height and width of the picture.
  public var imageSize: (height: UInt32, width: UInt32)?
  /// The 32 bytes of the digest of the picture's file.
  public var imageSHA256: [UInt8]?
  /// The class that the source gives, -1 for none.
  public var sourceLabel: Int32?
  /// The part of the picture that the map covers; nil takes the map's own.
  public var mapExtent: CropBox?
  /// H · W numbers.
  public var logNormalizer: [Float]?

  /// Nothing but the map is known.
  public init() {}

  /// The stored values of some details, in the order of the layout.
  ///
  /// - Parameters:
  ///   - names: the details of the dataset.
  ///   - cells: cells of the map.
  /// - Returns: the bytes of each.
  /// - Throws: `.usage` for one that is missing, not asked for, or of another size.
  func values(_ names: Set<Name>, cells: Int) throws(RelabelError) -> [[UInt8]] {
    var values: [[UInt8]] = []
    for name in Name.allCases {
      guard let value = bytes(name) else {
        guard names.contains(name) else { continue }
        throw RelabelError(
          .usage,
          "the dataset has '\(name.rawValue)', but this image has no value for it"
        )
      }
      guard names.contains(name) else {
        throw RelabelError(
          .usage,
          "the image has '\(name.rawValue)', but the dataset does not store it: name it in 'details'"
        )
      }
      let size = name == .logNormalizer ? 4 * cells : name == .imageSHA256 ? 32 : value.count
      guard value.count == size else {
        throw RelabelError(.usage, "'\(name.rawValue)' has \(value.count) bytes instead of \(size)")
      }
      values.append(value)
    }
    return values
  }

  private func bytes(_ name: Name) -> [UInt8]? {
    func bytes(_ words: [UInt32]) -> [UInt8] {
      words.flatMap { word in withUnsafeBytes(of: word.littleEndian, Array.init) }
    }
    return switch name {
    case .imageSize: imageSize.map { bytes([$0.height, $0.width]) }
    case .imageSHA256: imageSHA256
    case .sourceLabel: sourceLabel.map { bytes([UInt32(bitPattern: $0)]) }
    case .mapExtent: mapExtent.map { bytes($0.components.map { Float($0).bitPattern }) }
    case .logNormalizer: logNormalizer.map { bytes($0.map(\.bitPattern)) }
    }
  }
}
