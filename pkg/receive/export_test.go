package receive

// DropSecrets removes the secrets of a handler, which New does not allow.
func (h *Handler) DropSecrets() { h.config.Verifier.Secrets = nil }
