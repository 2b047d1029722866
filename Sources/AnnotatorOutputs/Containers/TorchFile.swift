import Relabel

/// What a file that `torch.save` wrote holds of a map: one tensor, or one of scores and one of class ids.
enum TorchContents<Tensor> {
  case stacked(Tensor)
  case pair(scores: Tensor, ids: Tensor)

  /// The same of other tensors.
  func map<Other>(
    _ transform: (Tensor) throws(RelabelError) -> Other
  ) throws(RelabelError) -> TorchContents<Other> {
    switch self {
    case .stacked(let tensor): .stacked(try transform(tensor))
    case .pair(let scores, let ids): .pair(scores: try transform(scores), ids: try transform(ids))
    }
  }
}

/// A file that `torch.save` wrote.
enum TorchFile {
  /// Reads a file in either container, without running its pickles.
  static func read(_ file: [UInt8]) throws(RelabelError) -> TorchContents<StoredTensor> {
    if file.starts(with: [0x50, 0x4B]) {
      try zip(file)
    } else if file.first == 0x80 {
      try legacy(file)
    } else if GitLFSPointer.begins(file) {
      throw RelabelError(.invalidInput, GitLFSPointer.fault)
    } else {
      throw RelabelError(.invalidInput, "this is not a file written by torch.save")
    }
  }
}
