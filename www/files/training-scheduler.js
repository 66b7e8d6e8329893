/** The scheduler_config.json of a training: diffusers' DDPMScheduler over the paper's linear schedule, for a network that predicts `prediction`. */
export const ddpm = (prediction = 'epsilon') => ({
  _class_name: 'DDPMScheduler', num_train_timesteps: 1000, beta_start: 0.0001, beta_end: 0.02, beta_schedule: 'linear',
  variance_type: 'fixed_small', clip_sample: true, clip_sample_range: 1, prediction_type: prediction, timestep_spacing: 'leading',
});
