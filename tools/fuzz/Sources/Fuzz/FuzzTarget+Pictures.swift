import Relabel
@testable import RelabelVerification

extension FuzzTarget {
  /// A table of boxes.
  static let boxes = FuzzTarget { bytes in
    guard let table = try? BoxTable(parsing: bytes, file: "boxes.csv") else { return }
    for box in table.boxes(ofKey: "a") { precondition(box.place.fault == nil) }
  }

  /// The header of a picture.
  static let picture = FuzzTarget { bytes in
    guard let size = PictureSize(header: PictureBytes(bytes)) else { return }
    precondition(size.height > 0 && size.width > 0)
  }
}
