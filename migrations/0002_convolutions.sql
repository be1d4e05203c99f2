-- Who computed the convolutions of an attempt: 'own', or cuDNN with its version and the name of the GPU.
ALTER TABLE attempt ADD COLUMN convolutions TEXT NOT NULL DEFAULT 'own';
