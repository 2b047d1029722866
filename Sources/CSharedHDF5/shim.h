// Declares nothing: CHDF5 does.
