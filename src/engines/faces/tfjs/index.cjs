// `@vladmandic/face-api` requires `@tensorflow/tfjs`, which is 290 MB with layers, WebGL and datasets. It uses only
// the core and these methods of tensors, which the core has as functions.
const tf = require('@tensorflow/tfjs-core');

const METHODS = ['add', 'cast', 'clipByValue', 'div', 'expandDims', 'max', 'mean', 'min', 'mul', 'relu'];
METHODS.push('reshape', 'sigmoid', 'slice', 'softmax', 'squeeze', 'sub', 'transpose');
for (const name of METHODS)
  tf.Tensor.prototype[name] = function (...rest) {
    return tf[name](this, ...rest);
  };
tf.Tensor.prototype.as1D = function () {
  return tf.reshape(this, [this.size]);
};
for (const name of ['as2D', 'as3D', 'as4D'])
  tf.Tensor.prototype[name] = function (...shape) {
    return tf.reshape(this, shape);
  };
tf.Tensor.prototype.toInt = function () {
  return tf.cast(this, 'int32');
};

module.exports = tf;
