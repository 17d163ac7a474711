-- What runs over a line is a side of the matrix of limits: it holds from a moment on, like the tier.
ALTER TABLE line_terms ADD COLUMN service {text};
UPDATE line_terms SET service = (SELECT l.service FROM line l WHERE l.code = line_terms.line);
