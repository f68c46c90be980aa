"""Cards: what each video is, field by field, each with the words that it rests on."""
