"""TensorFlow: feed_tensorflow.py PICTURES DATASET."""

import sys

import tensorflow as tf
from feed_numpy import batches

form = tf.TensorSpec((6, 64, 64, 3), tf.float32), tf.TensorSpec((6, 1000), tf.float32)
data = tf.data.Dataset.from_generator(lambda: batches(sys.argv[1], sys.argv[2]), output_signature=form).prefetch(2)
model = tf.keras.Sequential([tf.keras.layers.Flatten(), tf.keras.layers.Dense(1000)])
model.compile("sgd", tf.keras.losses.CategoricalCrossentropy(from_logits=True))
history = model.fit(data, epochs=2, verbose=0)
print(f"losses {[round(loss, 3) for loss in history.history['loss']]}")
