export default { test: { include: ['leaks/*.test.js'] } };
