import AnnotatorOutputs

/// Words of options that are about the input, for help.
public enum InputWords {
  /// The dialects of annotator outputs: word and name.
  public static var dialects: [(word: String, name: String)] { Dialects.words }

  /// What `--array` takes.
  public static var arrays: String { ChosenArrays.words }

  /// The dialects of labels of crops, in one line.
  public static var viewDialects: String { ViewDialects.words }

  /// The axes of arrays.
  public static var axes: String { ArrayAxes.words }
}
